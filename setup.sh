#!/usr/bin/env bash
# Sets instar up in .venv and runs it. It needs Python 3.11 and a package registry; a second call is quick.
#
#   ./setup.sh                           set up only
#   ./setup.sh demo [options of the demo]
#   ./setup.sh test [--slow] [options of pytest]
#   ./setup.sh pin                       write constraints.txt anew: today's newest versions
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Idle OpenMP threads must sleep, not spin: where two processes share the cores, spinning ones slow each other down
# a hundredfold (pytorch/pytorch#80777). It has to be set before torch is loaded.
export OMP_WAIT_POLICY=PASSIVE
# pip reads PIP_FIND_LINKS and uv does not: where it offers a build of torch, both shall take that one.
if [[ -n "${PIP_FIND_LINKS:-}" ]]; then
    export UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS// /,}}"
fi

stamp=.venv/.instar-set-up
debian_packages=(chromium libreoffice-impress poppler-utils fonts-crosextra-carlito)

say() { printf '\n» %s\n' "$*" >&2; }
fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

as_root_with_apt() { [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; }

apt_install() {
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "instar needs Python 3.11 or newer: install it (Debian: apt-get install python3) or name it: PYTHON=/path/to/python $0"
}

create_venv() {
    local python=$1 package
    if command -v uv >/dev/null; then
        uv venv --quiet --clear --seed --python "$python" .venv
        return
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        as_root_with_apt || fail "Python's venv is missing: sudo apt-get install $package"
        say "installing Debian's $package"
        apt_install "$package" || fail "apt-get could not install $package"
    fi
    "$python" -m venv --clear .venv
}

install_into_venv() {
    if command -v uv >/dev/null; then
        uv pip install --python .venv/bin/python --compile-bytecode "$@"
    else
        .venv/bin/python -m pip install --disable-pip-version-check "$@"
    fi
}

# What the set-up depends on; the path stands in it because a virtual environment cannot be moved.
fingerprint() { { pwd && cat pyproject.toml constraints.txt; } | sha256sum; }

set_up() {
    if [[ -f "$stamp" && "$(cat "$stamp")" == "$(fingerprint)" ]]; then
        return
    fi
    local python
    if ! grep -qsF "$PWD/.venv" .venv/bin/activate || ! .venv/bin/python -c '' 2>/dev/null; then
        python="$(find_python)"
        say "creating .venv with $("$python" --version) ($python)"
        create_venv "$python"
    fi
    say "installing instar and what it needs into .venv (a few minutes the first time)"
    install_into_venv --constraint constraints.txt --editable '.[demo,dev]'
    fingerprint >"$stamp"
}

install_debian_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null || return 0
    for package in "${debian_packages[@]}"; do
        [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] ||
            missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        return
    fi
    if as_root_with_apt; then
        say "installing for the tests of decks: ${missing[*]}"
        apt_install "${missing[@]}" || say "apt-get failed; the tests that need ${missing[*]} are skipped"
    else
        say "the tests that need ${missing[*]} are skipped; to run them: sudo apt-get install ${missing[*]}"
    fi
}

run_demo() {
    say "running the demo"
    exec .venv/bin/instar demo "$@"
}

run_tests() {
    local bin=.venv/bin failed=() pytest=(pytest --numprocesses logical --maxprocesses 4 --dist loadfile)
    if [[ "${1:-}" == --slow ]]; then
        shift
        pytest+=(-m "slow or not slow")
    fi
    check() {
        say "$*"
        "$bin/$1" "${@:2}" || failed+=("$*")
    }
    check ruff check
    check ruff format --check
    check mypy
    check "${pytest[@]}" "$@"
    ((${#failed[@]} == 0)) || fail "$(printf 'failed: %s\n' "${failed[@]}")"
}

pin() {
    rm -rf .venv
    create_venv "$(find_python)"
    say "resolving without constraints"
    install_into_venv --editable '.[demo,dev]'
    {
        sed '/^#/!d' constraints.txt
        # A local version (torch 2.13.0+cpu) names one build; without it every build of that version fits.
        .venv/bin/python -m pip freeze --exclude-editable | sed -E 's/\+[^ ]*$//'
    } >constraints.new
    mv constraints.new constraints.txt
    say "constraints.txt is new: look at the difference, then ./setup.sh test"
}

case "${1:-}" in
"")
    set_up
    say "ready: .venv/bin/instar --help"
    ;;
demo)
    set_up
    run_demo "${@:2}"
    ;;
test)
    set_up
    install_debian_packages
    run_tests "${@:2}"
    ;;
pin) pin ;;
*)
    sed -n 's/^#   //p' setup.sh >&2
    exit 2
    ;;
esac
