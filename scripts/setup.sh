#!/usr/bin/env bash
# Installs what the tests need and npm cannot bring: Chromium, Firefox, Redis, and small tools of the tests. Quick when all is there.
# As root on Debian and its relatives it installs; elsewhere it says in one line what to install.
set -euo pipefail

# A command that must be there, and the Debian package that brings it.
needed=(
  chromium:chromium
  firefox:firefox-esr
  redis-server:redis-server
  openssl:openssl
  curl:curl
  pgrep:procps
  python3:python3
)

missing=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
done

if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: everything the tests need is installed"
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: please install ${missing[*]} (on macOS: brew install redis, brew install --cask chromium firefox), then run it again" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Tests start a Redis of their own, so that the package's service need not run.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: installed ${missing[*]}"
