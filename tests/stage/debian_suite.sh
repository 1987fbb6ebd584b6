# Packages of another Debian suite, fetched from the mirror that this machine uses and unpacked, nothing installed: lists, cache and
# status are our own. Sourced by newer_haproxy.sh and other_server.sh.
#
#   suite_open SUITE INTO        reads the suite's lists; exit code 77 when the mirror does not carry it
#   suite_version PACKAGE        what the suite has of it; empty: it has none
#   suite_unpack PATTERN PACKAGE...   those packages, and what they need whose names match PATTERN, below INTO/unpacked
#   suite_loader                 the suite's own loader of programs; its C library stands beside it

suite_open()
{
    local found mirror key
    suite_name=$1
    suite_into=$2
    mkdir -p "$suite_into/lists/partial" "$suite_into/cache/archives/partial" "$suite_into/packages"

    # The mirror and the key that this machine uses for Debian itself.
    found=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(SIGNED_BY)' 'Created-By: Packages' | grep '^Debian|' | grep -v security | head -1) || true
    if [ -z "$found" ]; then
        echo "no mirror of Debian is configured for apt" >&2
        exit 77
    fi
    mirror=$(echo "$found" | cut -d'|' -f2)
    key=$(echo "$found" | cut -d'|' -f3)
    case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
    echo "deb [signed-by=$key] $mirror $suite_name main" >"$suite_into/sources.list"
    : >"$suite_into/status"
    suite_options=(-q -q -o "Dir::Etc::SourceList=$suite_into/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$suite_into/lists"
        -o "Dir::Cache=$suite_into/cache" -o "Dir::State::Status=$suite_into/status" -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3)
    if ! apt-get "${suite_options[@]}" -o APT::Update::Error-Mode=any update >"$suite_into/log" 2>&1; then
        echo "$mirror does not carry $suite_name:" "$(tail -1 "$suite_into/log")" >&2
        exit 77
    fi
}

suite_version()
{
    apt-cache "${suite_options[@]}" policy "$1" | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true
}

suite_unpack()
{
    local pattern=$1 names package
    shift
    rm -rf "$suite_into/unpacked"
    rm -f "$suite_into"/packages/*.deb
    names=$(apt-get "${suite_options[@]}" -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -Ex "$pattern")
    (cd "$suite_into/packages" && apt-get "${suite_options[@]}" download $names >>"$suite_into/log" 2>&1) || { tail -3 "$suite_into/log" >&2; exit 1; }
    for package in "$suite_into"/packages/*.deb; do
        dpkg-deb -x "$package" "$suite_into/unpacked"
    done
    rm -f "$suite_into"/packages/*.deb
}

suite_loader()
{
    find "$suite_into/unpacked" -type f \( -name 'ld-linux*.so.*' -o -name 'ld-2.*.so' \) | head -1
}
