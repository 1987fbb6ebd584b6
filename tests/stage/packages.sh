#!/bin/bash
# What ./run and ./test need from Debian's packages, and one way to install what is missing. Sourced for fc_install, or run by
# itself as root (fc_install does that through sudo when it must): packages.sh install-now PACKAGE...
#
# No service of the machine is started: while our own apt-get runs, a policy-rc.d that refuses (exit 101) stands in the place of
# whatever was there; that is put back afterwards, also on an interrupt, and after a kill by the next run.

FC_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libev-dev libmicrohttpd-dev libgnutls28-dev libcjson-dev libhiredis-dev libsqlite3-dev
libmariadb-dev libraft-dev libuv1-dev nettle-dev libpcre2-dev libjemalloc-dev zlib1g-dev"
# The servers of the stage. mariadb-server-core: the daemon without a service and without a database of the machine's own.
FC_SERVER_PACKAGES="mariadb-server-core mariadb-client haproxy redis-server redis-tools python3"
# socat: the printed haproxy.cfg and docs/operating.md give commands with it, and the scenes run them as they are written.
# iproute2, nftables: hosts of a network that can be cut. faketime: a wall clock that is set while a node runs, or is an hour off.
FC_TEST_PACKAGES="libcriterion-dev socat iproute2 nftables faketime openssl curl"
FC_FUZZ_PACKAGES="clang"
# Of tests/bench, by hand: packages.sh install-now wrk. Its figures are told as not measured where it is missing.
FC_BENCH_PACKAGES="wrk"

FC_POLICY=/usr/sbin/policy-rc.d
FC_POLICY_KEPT=/usr/sbin/policy-rc.d.kept-by-firstchair

fc_missing()
{
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# fc_install WHY PACKAGE... : installs what is missing, says what and why; does nothing and says nothing when nothing is.
fc_install()
{
    local why=$1 missing
    shift
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not a Debian system. Please see to it that these are there: $*" >&2
        return 0
    fi
    missing=$(fc_missing "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    echo "Installing from Debian, $why: $missing"
    echo "(no service is started: policy-rc.d refuses while this runs)"
    if [ "$(id -u)" = 0 ]; then
        bash "${BASH_SOURCE[0]}" install-now $missing
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
        sudo bash "${BASH_SOURCE[0]}" install-now $missing
    else
        echo "Not root and no sudo here. As root, please run: apt-get install --no-install-recommends $missing" >&2
        return 1
    fi
}

fc_policy_restore()
{
    if [ -e "$FC_POLICY_KEPT" ] || [ -L "$FC_POLICY_KEPT" ]; then
        mv -f "$FC_POLICY_KEPT" "$FC_POLICY"
    elif grep -qs 'placed by firstchair' "$FC_POLICY"; then
        rm -f "$FC_POLICY"
    fi
}

fc_policy_refuse()
{
    fc_policy_restore
    if [ -e "$FC_POLICY" ] || [ -L "$FC_POLICY" ]; then
        mv -f "$FC_POLICY" "$FC_POLICY_KEPT"
    fi
    printf '#!/bin/sh\n# placed by firstchair for the time of one installation\nexit 101\n' >"$FC_POLICY"
    chmod 755 "$FC_POLICY"
}

fc_install_now()
{
    export DEBIAN_FRONTEND=noninteractive
    trap fc_policy_restore EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    fc_policy_refuse
    apt-get -q -o DPkg::Lock::Timeout=120 update </dev/null
    apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" </dev/null
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ "${1:-}" = install-now ] && [ $# -gt 1 ] || { echo "usage: packages.sh install-now PACKAGE..." >&2; exit 2; }
    shift
    fc_install_now "$@"
    exit
fi
