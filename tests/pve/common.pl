# SPDX-License-Identifier: GPL-2.0-or-later
# What the stand-ins for Proxmox VE's qm, pvesm and pvesh share: files, options, storages, resource
# mappings, the nodes of a cluster. PVE_ROOT is a prefix of every path.
# "PVE:" in a comment names the file of pve-common 9.2.1, pve-storage 9.1.7 or pve-guest-common 6.0.2
# that the rule was read in.

use strict;
use warnings;

use Fcntl qw(:flock);
use POSIX ();

our $root = $ENV{PVE_ROOT} // '';

# ---- small tools

sub nap { select(undef, undef, undef, $_[0]); return }

sub first_line {
	my ($path) = @_;
	open(my $fh, '<', $path) or return undef;
	my $line = <$fh>;
	chomp $line if defined $line;
	return $line;
}

sub slurp {
	my ($path) = @_;
	open(my $fh, '<', $path) or return undef;
	local $/;
	return scalar <$fh>;
}

# as a whole, by rename
sub replace_file {
	my ($path, $data) = @_;
	open(my $fh, '>', "$path.tmp.$$") or die "unable to write '$path.tmp.$$' - $!\n";
	print $fh $data;
	close($fh) or die "closing file '$path.tmp.$$' failed - $!\n";
	rename("$path.tmp.$$", $path) or die "unable to rename '$path.tmp.$$' - $!\n";
	return;
}

# PVE: Tools.pm lock_file
sub locked {
	my ($path, $seconds, $code) = @_;
	open(my $fh, '>>', $path) or die "can't lock file '$path' - can't open file - $!\n";
	if (!flock($fh, LOCK_EX | LOCK_NB)) {
		print STDERR "trying to acquire lock...\n";
		my $end = time() + $seconds;
		until (flock($fh, LOCK_EX | LOCK_NB)) {
			die "can't lock file '$path' - got timeout\n" if time() >= $end;
			nap(0.1);
		}
		print STDERR " OK\n";
	}
	return $code->();
}

sub list_dir {
	my ($path, $re) = @_;
	opendir(my $dh, $path) or return;
	my @names = sort grep { m/^$re$/ } readdir($dh);
	return @names;
}

sub boolean {
	my ($value) = @_;
	return 1 if $value =~ m/^(?:1|on|yes|true)$/i;
	return 0 if $value =~ m/^(?:0|off|no|false)$/i;
	return undef;
}

# --KEY VALUE, -KEY VALUE, --KEY=VALUE. Of the keys in `lists` every value is kept.
sub parse_options {
	my ($words, %lists) = @_;
	my %options;
	while (@$words) {
		my $word = shift @$words;
		$word =~ m/^--?([a-z][a-z0-9_-]*)(?:=(.*))?$/s or die "400 not an option: '$word'\n";
		my ($key, $value) = ($1, $2 // shift @$words // die "Option $1 requires an argument\n");
		if ($lists{$key}) {
			push @{ $options{$key} }, $value;
		} else {
			$options{$key} = exists($options{$key}) && $key eq 'delete' ? "$options{$key},$value" : $value;
		}
	}
	return \%options;
}

# PVE: INotify.pm nodename
sub nodename {
	my $name = first_line("$root/proc/sys/kernel/hostname") // (POSIX::uname())[1];
	$name =~ s/\..*//;
	return $name;
}

# ---- the cluster. PVE: pmxcfs's .members

# node => online
sub members {
	my %online;
	my $members = slurp("$root/etc/pve/.members") // '';
	$online{$1} = $2 while $members =~ m/"([a-z0-9-]+)":\s*\{[^{}]*"online":\s*([01])/gi;
	return %online ? \%online : { nodename() => 1 };
}

sub has_quorum { return (slurp("$root/etc/pve/.members") // '') !~ m/"quorate":\s*0/ }

# PVE: cfs_lock() in Cluster.pm: a folder that exists is a lock that another has, for 10 s at most;
# here the time is up at once
sub cfs_locked {
	my ($name, $code) = @_;
	my $lock = "$root/etc/pve/priv/lock/$name";
	die "cfs-lock '$name' error: no quorum!\n" if !has_quorum();
	my @made = grep { mkdir } "$root/etc/pve/priv", "$root/etc/pve/priv/lock";
	die "cfs-lock '$name' error: got lock request timeout\n" if !mkdir $lock;
	my $ok = eval { $code->(); 1 };
	my $error = $@;
	rmdir for $lock, reverse @made;
	die $error if !$ok;
	return;
}

# Where a test keeps what another node has in its own file system.
sub node_root {
	my ($node) = @_;
	my $online = members()->{$node} // die "hostname lookup '$node' failed - failed to get address info for: $node\n";
	return $root if $node eq nodename();
	die "proxy handler failed: ssh: connect to host $node port 22: No route to host\n" if !$online;
	return "$root/other-nodes/$node";
}

# ---- section files. PVE: SectionConfig.pm

# [[header, {key => [value, ...]}], ...]
sub read_sections {
	my ($path) = @_;
	my (@sections, $current);
	for my $line (split(/\n/, slurp($path) // '')) {
		next if $line =~ m/^\s*#/;
		if ($line eq '') {
			$current = undef;
		} elsif (!$current && $line =~ m/^(\S.*?)\s*$/) {
			push @sections, [$1, $current = {}];
		} elsif ($current && $line =~ m/^\s+(\S+)(?:\s+(.*\S))?\s*$/) {
			push @{ $current->{$1} }, $2 // 1;
		} else {
			warn "ignore config line: $line\n";
		}
	}
	return @sections;
}

sub write_sections {
	my ($path, @sections) = @_;
	my $raw = '';
	for (@sections) {
		my ($header, $keys) = @$_;
		$raw .= "$header\n";
		for my $key (sort keys %$keys) {
			$raw .= "\t$key $_\n" for @{ $keys->{$key} };
		}
		$raw .= "\n";
	}
	cfs_locked('file-' . $path =~ s{^\Q$root\E/etc/pve/}{}r =~ tr{/.}{__}r, sub {
		mkdir $path =~ s{/[^/]*$}{}r;
		replace_file($path, $raw);
	});
	return;
}

# ---- storages. PVE: Storage.pm, Storage/Plugin.pm

my $storage_file = "$root/etc/pve/storage.cfg";
my %shared_type = map { $_ => 1 } qw(iscsi nfs cifs rbd cephfs iscsidirect zfs drbd pbs);
my %content_of = (
	(map { $_ => 'images,rootdir,vztmpl,iso,backup,snippets,import' } qw(dir nfs cifs btrfs)),
	cephfs => 'vztmpl,iso,backup,snippets,import',
	lvmthin => 'images,rootdir', zfspool => 'images,rootdir', lvm => 'images,rootdir', rbd => 'images,rootdir',
);
my %subdir = (
	images => 'images', rootdir => 'private', iso => 'template/iso', vztmpl => 'template/cache', backup => 'dump',
	snippets => 'snippets', import => 'import',
);

sub read_storages {
	my %storages;
	for (read_sections($storage_file)) {
		my ($header, $keys) = @$_;
		my ($type, $id) = $header =~ m/^([a-z]+):\s*(\S+)$/ or next;
		$storages{$id} = { type => $type, map { $_ => $keys->{$_}[-1] } keys %$keys };
	}
	my $local = $storages{local};
	if (!$local || $local->{type} ne 'dir' || ($local->{path} // '/var/lib/vz') ne '/var/lib/vz') {
		$storages{local} = { type => 'dir', content => 'backup,images,iso,rootdir,snippets,vztmpl' };
	}
	$storages{local}{path} = '/var/lib/vz';
	delete $storages{local}{nodes};
	for (values %storages) {
		$_->{content} //= $_->{type} eq 'dir' ? 'images,rootdir' : 'images';
		$_->{shared} = 1 if $shared_type{ $_->{type} };
	}
	return \%storages;
}

sub storage_config {
	my ($id) = @_;
	return read_storages()->{$id} // die "storage '$id' does not exist\n";
}

# PVE: Storage.pm storage_check_enabled
sub check_storage {
	my ($id, $node) = @_;
	my $storage = storage_config($id);
	die "storage '$id' is disabled\n" if $storage->{disable};
	die "storage '$id' is not available on node '$node'\n"
		if $storage->{nodes} && !grep { $_ eq $node } split(/,/, $storage->{nodes});
	return $storage;
}

sub set_storage {
	my ($id, $options) = @_;
	my $storage = storage_config($id);
	for my $type (split(/,/, $options->{content} // '')) {
		die "400 Parameter verification failed.\ncontent: invalid format - invalid content type '$type'\n"
			if !$subdir{$type} && $type ne 'none';
		die "update storage failed: storage does not support content type '$type'\n"
			if $type ne 'none' && $content_of{ $storage->{type} } !~ m/\b$type\b/;
	}
	# PVE: Storage/Plugin.pm, decode_value
	die "update storage failed: unable to combine 'none' with other content types\n"
		if ($options->{content} // '') =~ m/(?:^none,|,none(?:,|$))/;
	my @sections = read_sections($storage_file);
	my ($own) = grep { $_->[0] eq "$storage->{type}: $id" } @sections;
	push @sections, $own = ["$storage->{type}: $id", { path => [$storage->{path}] }] if !$own;
	$own->[1]{$_} = [$options->{$_}] for keys %$options;
	write_sections($storage_file, @sections);
	return;
}

# The path of a volume, and its type. PVE: Storage.pm path, Plugin.pm parse_volname
sub volume_path {
	my ($volume) = @_;
	my ($id, $name) = $volume =~ m/^([a-z][a-z0-9\-_.]*[a-z0-9]):(.+)$/i
		or die "unable to parse volume ID '$volume'\n";
	my $storage = storage_config($id);
	die "storage definition has no path\n" if !$storage->{path};
	$name =~ m{^(snippets|iso|vztmpl|backup)/([^/]+)$} || $name =~ m{^(\d+)/(\S+)$}
		or die "unable to parse directory volume name '$name'\n";
	my $type = $1 =~ m/^\d/ ? 'images' : $1;
	my $file = $2;
	return ("$root$storage->{path}/" . content_folder($storage, $type) . "/$file", $type);
}

# PVE: Plugin.pm get_subdir: 'content-dirs' names other folders, below the path
sub content_folder {
	my ($storage, $type) = @_;
	my %own = map { split(/=/, $_, 2) } split(/,/, $storage->{'content-dirs'} // '');
	return $own{$type} // $subdir{$type};
}

# PVE: Plugin.pm get_subdir_files: what stat fails for, as for a dangling link, is left out
sub list_snippets {
	my ($id, $node) = @_;
	my $storage = check_storage($id, $node);
	return if $storage->{content} !~ m/\bsnippets\b/;
	my $base = $storage->{shared} ? $root : node_root($node);
	my $dir = "$base$storage->{path}/" . content_folder($storage, 'snippets');
	return map { "$id:snippets/$_" } grep { -f "$dir/$_" } list_dir($dir, qr/[^.].*/);
}

# ---- resource mappings. PVE: Mapping/PCI.pm

my $mapping_file = "$root/etc/pve/mapping/pci.cfg";

# name => {map => [...], description => ..., mdev => ...}; the last section of a name counts
sub read_mappings {
	my %mappings;
	for (read_sections($mapping_file)) {
		my ($name, $keys) = @$_;
		my %one = map { $_ => $keys->{$_}[-1] } keys %$keys;
		$one{map} = $keys->{map} // next;
		$mappings{$name} = \%one;
	}
	return \%mappings;
}

sub write_mappings {
	my ($mappings) = @_;
	write_sections($mapping_file, map {
		my $one = $mappings->{$_};
		[$_, { map { $_ => ref $one->{$_} ? $one->{$_} : [$one->{$_}] } keys %$one }]
	} sort keys %$mappings);
	return;
}

sub parse_map { return { map { split(/=/, $_, 2) } split(/,/, $_[0]) } }

my $path_re = qr/[a-f0-9]{4,}:[a-f0-9]{2}:[a-f0-9]{2}(?:.[a-f0-9])?/;
my %map_format = (
	node => qr/[a-z0-9](?:[a-z0-9-]*[a-z0-9])?/i, id => qr/[0-9a-f]{4}:[0-9a-f]{4}/i,
	'subsystem-id' => qr/[0-9a-f]{4}:[0-9a-f]{4}/i, path => qr/$path_re(?:;$path_re)*/, iommugroup => qr/\d+/,
	description => qr/.*/,
);

sub check_map {
	my ($value) = @_;
	my $map = parse_map($value);
	my @errors;
	for my $key (sort keys %$map) {
		my $re = $map_format{$key};
		push @errors, "map.$key: property is not defined in schema and the schema does not allow additional properties\n" if !$re;
		push @errors, "map.$key: value does not match the regex pattern\n" if $re && $map->{$key} !~ m/^$re$/;
	}
	push @errors, map { "map.$_: property is missing and it is not optional\n" } grep { !defined $map->{$_} } qw(node id path);
	die "400 Parameter verification failed.\n", @errors if @errors;
	return;
}

1;
