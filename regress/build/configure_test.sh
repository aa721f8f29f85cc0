#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The build: with every make that is here, a small house is built from nothing,
# only what changed is built again, and new files need no command.
# regress: timeout=300

set -eu
top=$(pwd)
house=${TMPDIR:-/tmp}/house.$$
trap 'rm -rf "$house"' EXIT
mkdir "$house"
cd "$house"

file() {	# file NAME: from standard input
	mkdir -p "$(dirname "$1")"
	cat > "$1"
}

house() {
	cp "$top/configure" "$top/Makefile" .
	mkdir -p regress/fuzz
	cp "$top/regress/unit.h" regress/
	cp "$top/regress/fuzz/replay.c" regress/fuzz/
	echo "SRCS = *.c config/*.y" | file common/files.mk
	file common/log.h <<-END
		const char *log_word(void);
		int number_parse(const char *);
	END
	file common/log.c <<-END
		#include "common/log.h"
		const char *log_word(void) { return "one"; }
	END
	file common/config/parse.y <<-END
		%{
		#include <stdlib.h>
		#include "common/log.h"
		static const char *text;
		static int result;
		static int yylex(void);
		static void yyerror(const char *);
		int yyparse(void);
		%}
		%union { int number; }
		%token <number> NUMBER
		%%
		all : NUMBER { result = \$1; } ;
		%%
		static int yylex(void) {
			if (*text == 0) return 0;
			yylval.number = (int)strtol(text, NULL, 10);
			text = "";
			return NUMBER;
		}
		static void yyerror(const char *s) { (void)s; result = -1; }
		int number_parse(const char *s) {
			text = s;
			yyparse();
			return result;
		}
	END
	echo "SRCS = main.c mime/mime.c" | file scand/files.mk
	file scand/mime/mime.h <<-END
		#define MIME_ANSWER 42
		int mime(void);
	END
	file scand/mime/mime.c <<-END
		#include "scand/mime/mime.h"
		int mime(void) { return MIME_ANSWER; }
	END
	file scand/main.c <<-END
		#include <stdio.h>
		#include "common/log.h"
		#include "scand/mime/mime.h"
		int main(void) {
			printf("%s %d\\n", log_word(), mime());
			return number_parse("7") == 7 ? 0 : 1;
		}
	END
	file regress/scand/mime_test.c <<-END
		#include "regress/unit.h"
		#include "scand/mime/mime.h"
		int main(void) {
			CHECK(mime() == 42);
			CHECK_INT(1, 1);
			CHECK_STR("a", "a");
			return unit_end();
		}
	END
	file regress/fuzz/mime_fuzz.c <<-END
		#include <stddef.h>
		#include <stdint.h>
		int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
		int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
			(void)p;
			(void)n;
			return 0;
		}
	END
}

fail() {
	echo "$MAKE: $*"
	cat log
	exit 1
}

# built TEXT...: these and no others were made by the last call of make.
built() {
	for what in "$@"; do
		grep -qx "$what" log || fail "not made: $what"
	done
	n=$(grep -c '^\(cc\|ld\|yacc\) ' log || :)
	[ "$n" = $# ] || fail "$n things were made, not $#"
}

build() {
	$MAKE "$@" > log 2>&1 || fail "failed: $*"
	# Some know the time of a file only to the second: all is made older,
	# sources before what was built, so that changes are later than both.
	find . -type f ! -path './obj*' -exec touch -t 202001010000 {} +
	find . -type f -path './obj*' -exec touch -t 202001010001 {} +
}

says() {
	got=$(obj/scand/scand) || fail "scand fails"
	[ "$got" = "$1" ] || fail "scand says $got, not $1"
}

try() {
	MAKE=$1
	rm -rf "$house"/*
	house
	build tests
	built "cc common/log.c" "yacc common/config/parse.y" \
	    "cc common/config/parse.y" "cc scand/main.c" \
	    "cc scand/mime/mime.c" "ld obj/scand/scand" \
	    "cc regress/scand/mime_test.c" "ld obj/regress/scand/mime_test" \
	    "cc regress/fuzz/mime_fuzz.c" "cc regress/fuzz/replay.c" \
	    "ld obj/regress/fuzz/mime_fuzz"
	says "one 42"
	obj/regress/scand/mime_test > /dev/null || fail "mime_test"
	obj/regress/fuzz/mime_fuzz Makefile > /dev/null || fail "mime_fuzz"

	build tests
	built

	# A header: who includes it.
	sed 's/42/43/' scand/mime/mime.h > new
	mv new scand/mime/mime.h
	build
	built "cc scand/mime/mime.c" "cc scand/main.c" "ld obj/scand/scand"
	says "one 43"

	# A header that is gone does no harm.
	echo 'int mime(void);' > scand/mime/other.h
	printf '#include "scand/mime/other.h"\nint mime(void) { %s; }\n' \
	    'return 44' > scand/mime/mime.c
	build
	rm scand/mime/other.h
	printf 'int mime(void);\nint mime(void) { return 45; }\n' \
	    > scand/mime/mime.c
	build
	says "one 45"

	# A new source by pattern, and one that files.mk begins to name.
	printf 'int more(void);\nint more(void) { return 1; }\n' \
	    > common/more.c
	build
	built "cc common/more.c" "ld obj/scand/scand"
	cp common/more.c scand/more.c
	sed -i.old 's/more/even_more/g' scand/more.c
	build
	built
	echo "SRCS = main.c more.c mime/mime.c" > scand/files.mk
	build
	built "cc scand/more.c" "ld obj/scand/scand"

	# A second object directory beside the first, with other flags.
	./configure --objdir=obj-two --debug > log
	build OBJ=obj-two
	[ "$(obj-two/scand/scand)" = "one 45" ] || fail "obj-two"
	build
	built
	if grep -q -e -O2 obj-two/config.mk; then
		fail "obj-two is optimised"
	fi

	# A warning is an error; then the mistake is mended.
	printf 'int more(void);\nint more(void) { int x; return 1; }\n' \
	    > common/more.c
	if $MAKE > log 2>&1; then
		fail "a warning was let through"
	fi
	printf 'int more(void);\nint more(void) { return 1; }\n' \
	    > common/more.c
	build

	# What no files.mk can say is said with its place.
	echo 'SRCS main.c' > scand/files.mk
	if $MAKE > log 2>&1; then
		fail "a bad files.mk was taken"
	fi
	grep -q 'scand/files.mk:1: ' log || fail "no place of the mistake"
	echo 'LIBS = nosuchlib' > scand/files.mk
	echo 'SRCS = main.c mime/mime.c' >> scand/files.mk
	if $MAKE > log 2>&1; then
		fail "a library that is not there was taken"
	fi
	grep -q 'not found: nosuchlib' log || fail "the library is not named"
	echo 'SRCS = main.c mime/mime.c' > scand/files.mk
	build
	says "one 45"
}

kinds=0
for make in make gmake bmake; do
	command -v $make > /dev/null 2>&1 || continue
	try $make
	kinds=$((kinds + 1))
done
echo "built by $kinds kinds of make"
[ $kinds -gt 0 ]
