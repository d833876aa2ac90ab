#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A FreeBSD build host: every port in one poudriere jail a release. Run it from cron(8), e.g. weekly:
#   17 4 * * 1  builder  /path/to/project/examples/ci/poudriere.sh 143amd64 150amd64
# The jails exist already: poudriere jail -c -j 143amd64 -v 14.3-RELEASE
set -eu

[ $# -gt 0 ] || { echo "usage: $0 JAIL ..." >&2; exit 2; }
cd "$(dirname "$0")/../.."

git pull --quiet --ff-only
portkit sync

jails=""
for jail in "$@"; do
	jails="$jails --jail $jail"
done
# shellcheck disable=SC2086 # words are wanted
portkit build-port --all --package $jails

status=0
portkit watch --report watch.md || status=$?
[ "$status" -ne 1 ] || mail -s "A series needs work for a new release" "${MAILTO:-root}" < watch.md
[ "$status" -le 1 ]
