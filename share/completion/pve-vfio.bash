# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of pve-vfio for bash. It knows no verb or option itself: 'pve-vfio list' tells them.

# _pve_vfio_list NAME: the words of a list
_pve_vfio_list()
{
	"$_pve_vfio_program" list "$1" 2>/dev/null | cut -f 1
}

# _pve_vfio_value TAKES: offers what an option or a place takes
_pve_vfio_value()
{
	local word

	case $1 in
	- | text) ;;
	file | folder)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -A "${1/folder/directory}" -- "$cur")
		;;
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$cur") ;;
	devices)
		# An address may be typed without its domain, and bash takes a colon for an end.
		for word in $(_pve_vfio_list devices); do
			[[ $word != "$cur"* && ${word#0000:} != "$cur"* ]] || COMPREPLY+=("$word")
		done
		;;
	*) mapfile -t COMPREPLY < <(compgen -W "$(_pve_vfio_list "$1")" -- "$cur") ;;
	esac
}

_pve_vfio()
{
	local _pve_vfio_program=$1 cur words cword verb='' before='' place=0 row_verb name takes i at
	local offered='' option_takes=- rows

	# the words as the shell would pass them: addresses are not taken apart
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : -c cur -w words -i cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
	fi
	COMPREPLY=()
	rows=$("$_pve_vfio_program" list options 2>/dev/null) || return

	# the verb, and how many words stand behind it
	for ((i = 1; i < cword; i++)); do
		at=${words[i]}
		# the value of the option before is no word of the verb's
		if [ -n "$before" ]; then
			before=
			continue
		fi
		if [[ $at == -* ]]; then
			before=$(awk -F '\t' -v option="$at" -v verb="$verb" \
				'$2 == option && ($1 == "*" || $1 == verb) { print $3; exit }' <<<"$rows")
			[ "$before" != - ] || before=
		elif [ -z "$verb" ] || [ "$verb" = rom ]; then
			verb=${verb:+$verb }$at place=0
		else
			place=$((place + 1))
		fi
	done
	if [ -n "$before" ]; then
		_pve_vfio_value "$before"
	elif [ -z "$verb" ] && [[ $cur != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pve_vfio_list verbs)" -- "$cur")
	elif [[ $cur == -* ]]; then
		offered=$(awk -F '\t' -v verb="$verb" \
			'$2 != "-" && ($1 == "*" || $1 == verb) { print $2 }' <<<"$rows")
		mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur")
	else
		# the last of a verb's places repeats, where the one before is there
		while IFS=$'\t' read -r row_verb name takes; do
			if [ "$row_verb" = "$verb" ] && [ "$name" = - ] && [ $place -ge 0 ]; then
				option_takes=$takes
				place=$((place - 1))
			fi
		done <<<"$rows"
		if [ $place -lt 0 ] || [ "$option_takes" = devices ]; then
			_pve_vfio_value "$option_takes"
		fi
	fi
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _pve_vfio pve-vfio
