#!/bin/sh
# Makes sure that Debian packages are there: debian_packages.sh PACKAGE...
# As root on Debian or Ubuntu it installs those that are missing; otherwise it says which they are and fails.
set -eu

command -v dpkg-query >/dev/null 2>&1 || exit 0   # another system: nothing known about its packages

missing=""
for package in "$@"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "These system packages are missing. Install them with: sudo apt-get install$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# Package lists may be absent on a fresh image, or so old that a download fails.
# shellcheck disable=SC2086
apt-get update -q && apt-get install -q -y --no-install-recommends $missing
