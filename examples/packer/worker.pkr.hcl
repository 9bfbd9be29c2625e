# An image whose machines join at their first boot, when ../cloud-init or ../terraform hands them a cluster and a token.
# The image itself holds neither. Replace the source by that of your cloud.
packer {
  required_plugins {
    qemu = {
      version = ">= 1.1.0"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "version" {
  type    = string
  default = "0.1.0"
}

source "qemu" "worker" {
  iso_url      = "debian-12-genericcloud-amd64.qcow2"
  iso_checksum = "none"
  disk_image   = true
  ssh_username = "root"
}

build {
  sources = ["source.qemu.worker"]

  provisioner "file" {
    sources     = ["../../dist/release/joinery_${var.version}_amd64.deb", "../systemd/joinery-join.service"]
    destination = "/tmp/"
  }

  provisioner "shell" {
    script = "install.sh"
  }
}
