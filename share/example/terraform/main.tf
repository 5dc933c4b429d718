# SPDX-License-Identifier: GPL-2.0-or-later
# A VM with a GPU by a resource mapping, with the provider bpg/proxmox.
#
# pve-vfio is installed and 'pve-vfio setup' has run on every node that the mapping names (see ../ansible).
# Ask a node for the values: 'pve-vfio devices 01:00' says id, subsystem and group of a device,
# 'pve-vfio attach 101 01:00 --dry-run' which firmware, machine type and options suit it. A line without
# a mapping ('id' in place of 'mapping') may only be set by root@pam with a password, not by a token.

terraform {
  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = ">= 0.66"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "https://pve1.example.com:8006/"
}

variable "api_token" {
  type        = string
  sensitive   = true
  description = "USER@REALM!NAME=SECRET; the user needs Mapping.Use and VM.Config.*"
}

provider "proxmox" {
  endpoint  = var.endpoint
  api_token = var.api_token
}

resource "proxmox_virtual_environment_hardware_mapping_pci" "gpu" {
  name = "gpu"
  map = [
    {
      node         = "pve1"
      path         = "0000:01:00" # all functions of the slot
      id           = "10de:2484"
      subsystem_id = "1458:403b"
      iommu_group  = 14
    },
  ]
}

resource "proxmox_virtual_environment_vm" "workstation" {
  vm_id     = 101
  name      = "workstation"
  node_name = "pve1"

  bios    = "ovmf"
  machine = "q35"

  # On a storage of the node it is a link to the installed program, and has to be on each node:
  #   ln -sfn /usr/libexec/pve-vfio/pve-vfio-hook /var/lib/vz/snippets/pve-vfio-hook
  # Terraform does not put it there: a copy that it uploads would not follow the package's upgrades.
  hook_script_file_id = "local:snippets/pve-vfio-hook"

  cpu {
    cores = 8
    type  = "host"
  }

  memory {
    dedicated = 16384 # all of it is pinned while a device is passed: no ballooning
  }

  efi_disk {
    datastore_id = "local-lvm"
    type         = "4m"
  }

  hostpci {
    device  = "hostpci0"
    mapping = proxmox_virtual_environment_hardware_mapping_pci.gpu.name
    pcie    = true
    xvga    = true
  }
}
