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
. tests/stage/debian_suite.sh
into=$PWD/build/newer-haproxy/$suite
suite_open "$suite" "$into"
version=$(suite_version haproxy)
if [ -z "$version" ]; then
    echo "$suite has no haproxy" >&2
    exit 77
fi

if [ "$(cat "$into/version" 2>/dev/null)" != "$version" ]; then
    echo "fetching haproxy $version of $suite" >&2
    rm -f "$into/version"
    suite_unpack 'haproxy|lib.*' haproxy
    echo "$version" >"$into/version"
fi

loader=$(suite_loader)
cat >"$into/haproxy" <<WRAPPER
#!/bin/sh
exec "$loader" --library-path "$(dirname "$loader")" "$into/unpacked/usr/sbin/haproxy" "\$@"
WRAPPER
chmod 755 "$into/haproxy"
"$into/haproxy" -v >/dev/null
echo "$into/haproxy"
