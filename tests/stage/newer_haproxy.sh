#!/bin/bash
# Fetches the HAProxy of a newer Debian suite, with the libraries that it needs, and prints the path of a program that runs it:
#
#   FC_HAPROXY=$(tests/stage/newer_haproxy.sh trixie) ./test proxy
#
# Nothing is installed: Debian's packages come from the configured mirror through lists of our own, are unpacked below
# build/newer-haproxy/SUITE and run with their own loader and C library. Fetched again when the mirror has a newer version.
# Exit code 77 when the mirror does not carry the suite, or no HAProxy in it.
set -eu
suite=${1:?usage: newer_haproxy.sh SUITE}
cd "$(dirname "$(readlink -f "$0")")/../.."
into=$PWD/build/newer-haproxy/$suite
mkdir -p "$into/lists/partial" "$into/cache/archives/partial" "$into/packages"

# The mirror and the key that this machine uses for Debian itself.
found=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(SIGNED_BY)' 'Created-By: Packages' | grep '^Debian|' | grep -v security | head -1) || true
if [ -z "$found" ]; then
    echo "no mirror of Debian is configured for apt" >&2
    exit 77
fi
mirror=$(echo "$found" | cut -d'|' -f2)
key=$(echo "$found" | cut -d'|' -f3)
case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
echo "deb [signed-by=$key] $mirror $suite main" >"$into/sources.list"
: >"$into/status"

apt_options=(-q -q -o "Dir::Etc::SourceList=$into/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null
    -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$into/lists" -o "Dir::Cache=$into/cache" -o "Dir::State::Status=$into/status"
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3)
if ! apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update >"$into/log" 2>&1; then
    echo "$mirror does not carry $suite:" "$(tail -1 "$into/log")" >&2
    exit 77
fi
version=$(apt-cache "${apt_options[@]}" policy haproxy | sed -n 's/^  Candidate: //p')
if [ -z "$version" ] || [ "$version" = '(none)' ]; then
    echo "$suite has no haproxy" >&2
    exit 77
fi

if [ "$(cat "$into/version" 2>/dev/null)" != "$version" ]; then
    echo "fetching haproxy $version of $suite" >&2
    rm -rf "$into/unpacked" "$into/version"
    rm -f "$into"/packages/*.deb
    names=$(apt-get "${apt_options[@]}" -s --no-install-recommends install haproxy | sed -n 's/^Inst \(haproxy\|lib[^ ]*\) .*/\1/p')
    (cd "$into/packages" && apt-get "${apt_options[@]}" download $names >>"$into/log" 2>&1) || { tail -3 "$into/log" >&2; exit 1; }
    for package in "$into"/packages/*.deb; do
        dpkg-deb -x "$package" "$into/unpacked"
    done
    rm -f "$into"/packages/*.deb
    echo "$version" >"$into/version"
fi

loader=$(find "$into/unpacked" -type f -name 'ld-linux*.so.*' | head -1)
cat >"$into/haproxy" <<WRAPPER
#!/bin/sh
exec "$loader" --library-path "$(dirname "$loader")" "$into/unpacked/usr/sbin/haproxy" "\$@"
WRAPPER
chmod 755 "$into/haproxy"
"$into/haproxy" -v >/dev/null
echo "$into/haproxy"
