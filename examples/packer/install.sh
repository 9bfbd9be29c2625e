#!/bin/sh
# Runs in the image: installs what a worker needs. It does not enable the join, because user data does that.
set -eu
apt-get update
apt-get install -y containerd kubelet /tmp/joinery_*_amd64.deb
install -m 0644 /tmp/joinery-join.service /etc/systemd/system/joinery-join.service
systemctl disable kubelet
rm -f /tmp/joinery_*_amd64.deb /tmp/joinery-join.service
