#!/bin/bash
# Fetches the database server of another Debian suite, with the libraries that it needs, and prints a folder of programs that run it:
#
#   PATH=$(tests/stage/other_server.sh mariadb-trixie):$PATH ./test unit/mysql_probe
#
# `./test other-servers` does it. Nothing is installed: see debian_suite.sh; all of it stays below build/other-servers/WHICH, and the
# server runs with its own loader and C library. The folder has what the stage calls: mariadbd and mariadb-install-db, or mysqld; the
# file `family` in it says which of the two it is. Exit code 77 when the mirror does not carry the suite, or no such server in it.
set -eu
which=${1:?usage: other_server.sh mysql-SUITE | mariadb-SUITE}
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/stage/debian_suite.sh
family=${which%%-*}
suite=${which#*-}
into=$PWD/build/other-servers/$which
suite_open "$suite" "$into"

package=
for name in "$family-server-core" mariadb-server-core-10.5; do      # before bookworm its name had the version in it
    case $name in "$family"*) ;; *) continue ;; esac
    version=$(suite_version "$name")
    [ -z "$version" ] || { package=$name; break; }
done
if [ -z "$package" ]; then
    echo "$suite has no $family" >&2
    exit 77
fi

root=$into/unpacked
# wrap FILE [WORD ...]: from now on FILE runs itself by the suite's loader, with these words behind its own.
wrap()
{
    local file=$1 loader libraries
    shift
    loader=$(suite_loader)
    libraries=$(find "$root" -name '*.so.*' -printf '%h\n' | sort -u | tr '\n' ':')
    mv "$file" "$file.wrapped"
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@" %s\n' "$loader" "$libraries" "$file.wrapped" "$*" >"$file"
    chmod 755 "$file"
}

if [ "$(cat "$into/version" 2>/dev/null)" != "$version" ]; then
    echo "fetching $package $version of $suite" >&2
    rm -rf "$into/version" "$into/bin"
    suite_unpack 'lib.*|(mysql|mariadb)-(server|client)-core.*|(mysql|mariadb)-common' "$package" "${package/server/client}"
    mkdir -p "$into/bin"
    echo "$family" >"$into/bin/family"
    if [ "$family" = mysql ]; then
        wrap "$root/usr/sbin/mysqld" "--basedir=$root/usr" "--plugin-dir=$root/usr/lib/mysql/plugin" "--lc-messages-dir=$root/usr/share/mysql" --secure-file-priv=
        wrap "$root/usr/bin/mysqlbinlog"
        ln -s "$root/usr/sbin/mysqld" "$root/usr/bin/mysqlbinlog" "$into/bin"
    else
        for file in my_print_defaults resolveip; do
            wrap "$root/usr/bin/$file"
        done
        wrap "$root/usr/sbin/mariadbd" "--basedir=$root/usr" "--plugin-dir=$root/usr/lib/mysql/plugin" "--lc-messages-dir=$root/usr/share/mysql"
        ln -s "$root/usr/sbin/mariadbd" "$into/bin/mariadbd"
        printf '#!/bin/sh\nexec "%s" "$@" "--basedir=%s"\n' "$root/usr/bin/mariadb-install-db" "$root/usr" >"$into/bin/mariadb-install-db"
        chmod 755 "$into/bin/mariadb-install-db"
    fi
    echo "$version" >"$into/version"
fi
"$into/bin/$([ "$family" = mysql ] && echo mysqld || echo mariadbd)" --no-defaults --version >&2
echo "$into/bin"
