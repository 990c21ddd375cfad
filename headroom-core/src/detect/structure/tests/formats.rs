//! Samples: one small text of each format that agents see.

use super::routed;
use crate::ContentKind::{self, Code, Diff, Html, Json, Listing, Log, Prose, Search, Table, Text};

/// The format, the accepted kinds, and a text in it.
type Format = (&'static str, &'static [ContentKind], &'static str);

/// Checks that each text is detected as an accepted kind.
#[track_caller]
fn check(formats: &[Format]) {
    let mut failed = Vec::new();
    for (name, kinds, text) in formats {
        let kind = routed(text);
        if !kinds.contains(&kind) {
            failed.push(format!("{name} is {kind}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn logs() {
    check(&[
        (
            "syslog",
            &[Log],
            "Apr  9 07:15:01 quay sshd[411]: Accepted publickey for keeper from 10.2.0.4 port 5022\n\
             Apr  9 07:15:03 quay systemd[1]: Started Lantern check.\n\
             Apr  9 07:16:44 quay kernel: [ 812.004] eth0: link up\n",
        ),
        (
            "syslog by RFC 5424",
            &[Log],
            "<34>1 2031-04-09T07:15:01.003Z quay lantern 411 ID47 - lamp lit\n\
             <34>1 2031-04-09T07:15:04.113Z quay lantern 411 ID48 - lamp out\n",
        ),
        (
            "ISO times",
            &[Log],
            "2031-04-09T07:15:01Z INFO  harbour::dock: ship 12 moored\n\
             2031-04-09T07:15:02Z WARN  harbour::tide: tide is late by 4 s\n\
             2031-04-09T07:15:09Z ERROR harbour::dock: ship 13 cannot moor\n",
        ),
        (
            "klog",
            &[Log],
            "I0409 07:15:01.123456   4111 controller.go:88] \"Synced\" dock=\"east\"\n\
             W0409 07:15:02.223456   4111 reflector.go:42] watch closed\n\
             E0409 07:15:03.323456   4111 controller.go:95] sync failed: dock is full\n",
        ),
        (
            "logfmt",
            &[Log],
            "ts=2031-04-09T07:15:01Z level=info caller=dock.go:31 msg=\"moored\" ship=12\n\
             ts=2031-04-09T07:15:02Z level=warn caller=tide.go:12 msg=late delay=4s\n",
        ),
        (
            "JSON lines",
            &[Json],
            "{\"level\":\"info\",\"ts\":1,\"msg\":\"moored\"}\n{\"level\":\"warn\",\"ts\":2,\"msg\":\"late\"}\n",
        ),
        (
            "Python logging",
            &[Log],
            "2031-04-09 07:15:01,311 - harbour.dock - INFO - ship 12 moored\n\
             2031-04-09 07:15:02,007 - harbour.tide - WARNING - tide is late\n\
             INFO:harbour.dock:ship 14 moored\n\
             ERROR:harbour.dock:ship 15 cannot moor\n",
        ),
        (
            "access log of nginx",
            &[Log],
            "10.2.0.4 - - [09/Apr/2031:07:15:01 +0000] \"GET /docks/east HTTP/1.1\" 200 512 \"-\" \"curl/9.0\"\n\
             10.2.0.9 - keeper [09/Apr/2031:07:15:02 +0000] \"POST /ships HTTP/1.1\" 503 12 \"-\" \"curl/9.0\"\n",
        ),
        (
            "error log of Apache",
            &[Log],
            "[Wed Apr 09 07:15:01.111222 2031] [core:error] [pid 411] [client 10.2.0.4:5022] File does not exist\n\
             [Wed Apr 09 07:15:05.111222 2031] [mpm_event:notice] [pid 1] resuming normal operations\n",
        ),
        (
            "stack trace of Java",
            &[Log],
            "Exception in thread \"main\" harbour.DockFull: east\n\
             \tat harbour.Dock.moor(Dock.java:88)\n\
             \tat harbour.Main.main(Main.java:12)\n\
             Caused by: java.io.IOException: no rope\n\
             \tat harbour.Rope.tie(Rope.java:7)\n\
             \t... 2 more\n",
        ),
        (
            "traceback of Python",
            &[Log],
            "Traceback (most recent call last):\n\
             \x20 File \"/app/dock.py\", line 88, in moor\n\
             \x20   tie(rope)\n\
             \x20 File \"/app/rope.py\", line 7, in tie\n\
             \x20   raise DockFull(east)\n\
             harbour.DockFull: east\n",
        ),
    ]);
}

#[test]
fn runs_of_tests_and_builds() {
    check(&[
        (
            "pytest",
            &[Log],
            "============================= test session starts ==============================\n\
             platform linux -- Python 3.14.0, pytest-9.0.0, pluggy-1.6.0\n\
             rootdir: /app\n\
             collected 3 items\n\n\
             tests/test_dock.py ..F                                                   [100%]\n\n\
             =================================== FAILURES ===================================\n\
             _________________________________ test_moor ____________________________________\n\n\
             \x20   def test_moor():\n\
             >       assert moor('east') == 12\n\
             E       assert 11 == 12\n\n\
             tests/test_dock.py:9: AssertionError\n\
             =========================== short test summary info ============================\n\
             FAILED tests/test_dock.py::test_moor - assert 11 == 12\n\
             ========================= 1 failed, 2 passed in 0.05s ==========================\n",
        ),
        (
            "pytest -v",
            &[Log],
            "tests/test_dock.py::test_moor PASSED                                     [ 33%]\n\
             tests/test_dock.py::test_leave PASSED                                    [ 66%]\n\
             tests/test_dock.py::test_tide[spring] FAILED                             [100%]\n",
        ),
        (
            "cargo test",
            &[Log],
            "   Compiling harbour v0.1.0 (/app)\n\
             \x20   Finished `test` profile [unoptimized + debuginfo] target(s) in 1.20s\n\
             \x20    Running unittests src/lib.rs (target/debug/deps/harbour-1f2e)\n\n\
             running 3 tests\n\
             test dock::moors ... ok\n\
             test dock::leaves ... FAILED\n\
             test tide::rises ... ok\n\n\
             failures:\n\n\
             ---- dock::leaves stdout ----\n\
             thread 'dock::leaves' panicked at src/dock.rs:41:9:\n\
             assertion `left == right` failed\n\n\
             test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        ),
        (
            "cargo build",
            &[Log],
            "   Compiling rope v1.0.2\n\
             \x20  Compiling harbour v0.1.0 (/app)\n\
             error[E0308]: mismatched types\n\
             \x20 --> src/dock.rs:12:9\n\
             \x20  |\n\
             12 |         ship\n\
             \x20  |         ^^^^ expected `u32`, found `Ship`\n\n\
             warning: unused variable: `tide`\n\
             \x20 --> src/tide.rs:3:9\n\n\
             error: could not compile `harbour` (lib) due to 1 previous error; 1 warning emitted\n",
        ),
        (
            "jest",
            &[Log],
            "PASS src/tide.test.ts\n\
             FAIL src/dock.test.ts\n\
             \x20 dock\n\
             \x20   ✓ moors (3 ms)\n\
             \x20   ✕ leaves (1 ms)\n\n\
             \x20 ● dock › leaves\n\n\
             \x20   expect(received).toBe(expected) // Object.is equality\n\n\
             \x20   Expected: 12\n\
             \x20   Received: 11\n\n\
             Test Suites: 1 failed, 1 passed, 2 total\n\
             Tests:       1 failed, 4 passed, 5 total\n\
             Time:        1.204 s\n",
        ),
        (
            "vitest",
            &[Log],
            " RUN  v4.0.1 /app\n\n\
             \x20✓ src/tide.test.ts (4 tests) 12ms\n\
             \x20❯ src/dock.test.ts (2 tests | 1 failed) 9ms\n\
             \x20  × dock > leaves 3ms\n\
             \x20    → expected 11 to be 12 // Object.is equality\n\n\
             \x20Test Files  1 failed | 1 passed (2)\n\
             \x20     Tests  1 failed | 5 passed (6)\n\
             \x20  Start at  07:15:01\n\
             \x20  Duration  412ms\n",
        ),
        (
            "go test",
            &[Log],
            "=== RUN   TestMoor\n\
             --- PASS: TestMoor (0.00s)\n\
             === RUN   TestLeave\n\
             \x20   dock_test.go:41: got 11, want 12\n\
             --- FAIL: TestLeave (0.00s)\n\
             FAIL\n\
             FAIL\texample.org/harbour/dock\t0.004s\n\
             ok  \texample.org/harbour/tide\t0.002s\n",
        ),
        (
            "npm install",
            &[Log],
            "npm warn deprecated rope@1.0.0: use knot instead\n\
             npm warn deprecated glob@7.2.3: no longer supported\n\n\
             added 412 packages, and audited 413 packages in 9s\n\n\
             3 moderate severity vulnerabilities\n",
        ),
        (
            "npm error",
            &[Log],
            "npm error code ERESOLVE\n\
             npm error ERESOLVE unable to resolve dependency tree\n\
             npm error\n\
             npm error Found: rope@2.0.0\n\
             npm error A complete log of this run can be found in: /root/.npm/_logs/x.log\n",
        ),
        (
            "gradle",
            &[Log],
            "> Task :app:compileJava UP-TO-DATE\n\
             > Task :app:processResources NO-SOURCE\n\
             > Task :app:test FAILED\n\n\
             DockTest > leaves() FAILED\n\
             \x20   org.opentest4j.AssertionFailedError at DockTest.java:41\n\n\
             FAILURE: Build failed with an exception.\n\n\
             * What went wrong:\n\
             Execution failed for task ':app:test'.\n\n\
             BUILD FAILED in 4s\n\
             3 actionable tasks: 1 executed, 2 up-to-date\n",
        ),
        (
            "maven",
            &[Log],
            "[INFO] Scanning for projects...\n\
             [INFO] --- maven-surefire-plugin:3.5.0:test (default-test) @ harbour ---\n\
             [ERROR] Tests run: 4, Failures: 1, Errors: 0, Skipped: 0 <<< FAILURE!\n\
             [INFO] BUILD FAILURE\n\
             [INFO] Total time:  4.120 s\n",
        ),
        (
            "make",
            &[Log],
            "make[1]: Entering directory '/app/src'\n\
             cc -O2 -Wall -c -o dock.o dock.c\n\
             dock.c: In function 'moor':\n\
             dock.c:41:9: warning: unused variable 'tide' [-Wunused-variable]\n\
             cc -O2 -Wall -o harbour dock.o\n\
             make[1]: Leaving directory '/app/src'\n\
             make: *** [Makefile:12: all] Error 2\n",
        ),
        (
            "tsc",
            &[Log],
            "src/dock.ts(41,9): error TS2322: Type 'string' is not assignable to type 'number'.\n\
             src/tide.ts(3,7): error TS6133: 'tide' is declared but its value is never read.\n\
             src/rope.ts(12,1): error TS2304: Cannot find name 'knot'.\n",
        ),
        (
            "tsc --pretty",
            &[Log],
            "src/dock.ts:41:9 - error TS2322: Type 'string' is not assignable to type 'number'.\n\n\
             41   const ship: number = name;\n\
             \x20          ~~~~\n\n\
             Found 1 error in src/dock.ts:41\n",
        ),
        (
            "eslint",
            &[Log],
            "/app/src/dock.ts\n\
             \x20  3:7   error    'tide' is assigned a value but never used  no-unused-vars\n\
             \x20 41:12  warning  Unexpected console statement               no-console\n\n\
             /app/src/rope.ts\n\
             \x20 12:1   error    'knot' is not defined                      no-undef\n\n\
             ✖ 3 problems (2 errors, 1 warning)\n",
        ),
        (
            "docker build",
            &[Log],
            "#1 [internal] load build definition from Dockerfile\n\
             #1 transferring dockerfile: 312B done\n\
             #1 DONE 0.0s\n\n\
             #5 [2/4] RUN apt-get update\n\
             #5 0.412 Get:1 http://deb.debian.org/debian trixie InRelease [151 kB]\n\
             #5 CACHED\n\n\
             #6 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n",
        ),
        (
            "docker build without BuildKit",
            &[Log],
            "Sending build context to Docker daemon  12.3kB\n\
             Step 1/3 : FROM debian:trixie\n\
             \x20---> 1f2e3d4c5b6a\n\
             Step 2/3 : RUN make\n\
             \x20---> Running in 6a5b4c3d2e1f\n\
             Removing intermediate container 6a5b4c3d2e1f\n\
             Successfully built 0f1e2d3c4b5a\n",
        ),
        (
            "pip",
            &[Log],
            "Collecting rope==1.0\n\
             \x20 Downloading rope-1.0-py3-none-any.whl (12 kB)\n\
             Requirement already satisfied: knot in /usr/lib/python3 (2.1)\n\
             Installing collected packages: rope\n\
             Successfully installed rope-1.0\n",
        ),
        (
            "ruff",
            &[Log],
            "src/dock.py:3:8: F401 [*] `os` imported but unused\n\
             src/dock.py:41:89: E501 Line too long (93 > 88)\n\
             src/rope.py:12:1: F821 Undefined name `knot`\n\
             Found 3 errors.\n",
        ),
        (
            "cpplint",
            &[Log],
            "c:\\app\\src\\dock.cpp(41):  Tab found; better to use spaces  [whitespace/tab] [1]\n\
             c:\\app\\src\\dock.cpp(44):  Missing space before {  [whitespace/braces] [5]\n\
             c:\\app\\src\\tide.cpp(3):  Lines should be <= 80 characters long  [whitespace/line_length] [2]\n",
        ),
        (
            "mypy",
            &[Log],
            "src/dock.py:41: error: Incompatible types in assignment  [assignment]\n\
             src/dock.py:44: note: See the documentation\n\
             Found 1 error in 1 file (checked 12 source files)\n",
        ),
    ]);
}

#[test]
fn columns() {
    check(&[
        (
            "ls -l",
            &[Table],
            "total 24\n\
             drwxr-xr-x  2 keeper staff   64 Apr  9 07:15 docs\n\
             -rw-r--r--  1 keeper staff 1204 Apr  9 07:15 dock.rs\n\
             -rw-r--r--  1 keeper staff  988 Apr  8 18:02 tide.rs\n\
             lrwxr-xr-x  1 keeper staff    7 Apr  8 18:02 latest -> dock.rs\n",
        ),
        (
            "ps aux",
            &[Table],
            "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n\
             root           1  0.0  0.1 167744 11776 ?        Ss   07:15   0:01 /sbin/init\n\
             root         411  0.0  0.1  15444  9216 ?        Ss   07:15   0:00 sshd: listener\n\
             keeper      1204  1.2  2.1 812344 91216 ?        Sl   07:16   0:14 harbour --dock east\n\
             keeper      1288  0.0  0.1  10288  5216 pts/0    Ss   07:18   0:00 -bash\n\
             keeper      1301  0.0  0.0  12000  3216 pts/0    R+   07:20   0:00 ps aux\n\
             root        1302  0.0  0.0      0     0 ?        I    07:20   0:00 [kworker/0:1]\n\
             root        1303  0.0  0.0      0     0 ?        I    07:20   0:00 [kworker/1:1]\n\
             root        1304  0.0  0.0      0     0 ?        I    07:20   0:00 [kworker/2:1]\n",
        ),
        (
            "kubectl get pods",
            &[Table],
            "NAME                     READY   STATUS             RESTARTS      AGE\n\
             dock-7d9c6b5f4-x2x9q     1/1     Running            0             3d\n\
             dock-7d9c6b5f4-z8k1m     0/1     CrashLoopBackOff   41 (2m ago)   3d\n\
             tide-5f6d7c8b9-q1w2e     1/1     Running            0             12h\n",
        ),
        (
            "docker ps",
            &[Table],
            "CONTAINER ID   IMAGE          COMMAND                  CREATED       STATUS       PORTS                    NAMES\n\
             1f2e3d4c5b6a   harbour:2.1    \"harbour --dock east\"    3 hours ago   Up 3 hours   0.0.0.0:8080->8080/tcp   dock\n\
             6a5b4c3d2e1f   postgres:19    \"docker-entrypoint.s…\"   3 days ago    Up 3 days    5432/tcp                 db\n\
             0f1e2d3c4b5a   redis:9        \"docker-entrypoint.s…\"   3 days ago    Up 3 days    6379/tcp                 cache\n",
        ),
        (
            "psql",
            &[Table],
            "  id  |  ship   | dock  |       at\n\
             ------+---------+-------+---------------------\n\
             \x201001 | kestrel | east  | 2031-04-09 07:15:01\n\
             \x201002 | heron   | west  | 2031-04-09 07:15:02\n\
             \x201003 | crane   | east  | 2031-04-09 07:15:09\n\
             (3 rows)\n",
        ),
        (
            "mysql",
            &[Table],
            "+------+---------+-------+\n\
             | id   | ship    | dock  |\n\
             +------+---------+-------+\n\
             | 1001 | kestrel | east  |\n\
             | 1002 | heron   | west  |\n\
             +------+---------+-------+\n\
             2 rows in set (0.00 sec)\n",
        ),
        (
            "df -h",
            &[Table],
            "Filesystem      Size  Used Avail Use% Mounted on\n\
             /dev/sda1        98G   41G   52G  45% /\n\
             tmpfs           7.8G     0  7.8G   0% /dev/shm\n\
             /dev/sdb1       1.8T  1.1T  640G  64% /data\n",
        ),
    ]);
}

#[test]
fn diffs() {
    check(&[
        (
            "git diff",
            &[Diff],
            "diff --git a/src/dock.rs b/src/dock.rs\nindex 1f2e3d4..4d3e2f1 100644\n--- a/src/dock.rs\n+++ b/src/dock.rs\n\
             @@ -10,3 +10,3 @@ fn moor()\n let ship = 12;\n-tie(ship);\n+tie(&ship);\n done\n",
        ),
        (
            "git show",
            &[Diff],
            "commit 1f2e3d4c5b6a79880f1e2d3c4b5a69788796a5b4\nAuthor: Keeper <keeper@example.org>\nDate:   Wed Apr 9 07:15:01 2031 +0000\n\n\
             \x20   Tie ships by reference\n\n\
             diff --git a/src/dock.rs b/src/dock.rs\nindex 1f2e3d4..4d3e2f1 100644\n--- a/src/dock.rs\n+++ b/src/dock.rs\n\
             @@ -10,3 +10,3 @@ fn moor()\n let ship = 12;\n-tie(ship);\n+tie(&ship);\n done\n",
        ),
        (
            "git log -p",
            &[Diff],
            "commit 1f2e3d4c5b6a79880f1e2d3c4b5a69788796a5b4\nAuthor: Keeper <keeper@example.org>\nDate:   Wed Apr 9 07:15:01 2031 +0000\n\n\
             \x20   Tie ships by reference\n\n\
             diff --git a/src/dock.rs b/src/dock.rs\n--- a/src/dock.rs\n+++ b/src/dock.rs\n\
             @@ -10 +10 @@\n-tie(ship);\n+tie(&ship);\n\n\
             commit 6a5b4c3d2e1f00112233445566778899aabbccdd\nAuthor: Keeper <keeper@example.org>\nDate:   Tue Apr 8 07:15:01 2031 +0000\n\n\
             \x20   Add the tide\n\n\
             diff --git a/src/tide.rs b/src/tide.rs\nnew file mode 100644\n--- /dev/null\n+++ b/src/tide.rs\n\
             @@ -0,0 +1,2 @@\n+fn rise() {}\n+fn fall() {}\n",
        ),
        (
            "combined diff",
            &[Diff],
            "diff --cc src/dock.rs\nindex 1f2e3d4,4d3e2f1..0000000\n--- a/src/dock.rs\n+++ b/src/dock.rs\n\
             @@@ -10,3 -10,3 +10,7 @@@ fn moor()\n  let ship = 12;\n++<<<<<<< HEAD\n +tie(ship);\n++=======\n+ tie(&ship);\n++>>>>>>> tide\n  done\n",
        ),
        (
            "diff -u",
            &[Diff],
            "--- dock.rs\t2031-04-09 07:15:01\n+++ dock.rs.new\t2031-04-09 07:16:01\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n",
        ),
    ]);
}

#[test]
fn searches_and_listings() {
    check(&[
        (
            "grep -rn",
            &[Search],
            "src/dock.rs:12:    moor(ship);\nsrc/dock.rs:88:fn moor(ship: Ship) {\nsrc/tide.rs:3:use crate::moor;\n",
        ),
        (
            "grep -rn -C 1",
            &[Search],
            "src/dock.rs-11-    let ship = next();\nsrc/dock.rs:12:    moor(ship);\nsrc/dock.rs-13-}\n--\n\
             src/tide.rs-2-\nsrc/tide.rs:3:use crate::moor;\nsrc/tide.rs-4-use crate::Ship;\n",
        ),
        ("grep -c", &[Search], "src/dock.rs:12\nsrc/rope.rs:0\nsrc/tide.rs:3\n"),
        (
            "grep -n of one file",
            &[Search],
            "12:    moor(ship);\n88:fn moor(ship: Ship) {\n140:    // moor again\n",
        ),
        (
            "git grep at a commit",
            &[Search],
            "HEAD~2:src/dock.rs:12:    moor(ship);\nHEAD~2:src/dock.rs:88:fn moor(ship: Ship) {\nHEAD~2:src/tide.rs:3:use crate::moor;\n",
        ),
        (
            "rg with headings and context",
            &[Search],
            "src/dock.rs\n11-    let ship = next();\n12:    moor(ship);\n13-}\n--\n88:fn moor(ship: Ship) {\n89-    tie(ship);\n\n\
             src/tide.rs\n3:use crate::moor;\n4-use crate::Ship;\n",
        ),
        (
            "find",
            &[Listing],
            "./src/dock.rs\n./src/tide.rs\n./src/rope/knot.rs\n./tests/dock.rs\n./Cargo.toml\n",
        ),
        (
            "tree",
            &[Listing],
            ".\n├── Cargo.toml\n├── src\n│   ├── dock.rs\n│   └── rope\n│       └── knot.rs\n└── tests\n    └── dock.rs\n\n3 directories, 4 files\n",
        ),
        (
            "ls -R",
            &[Listing],
            ".:\nCargo.toml\nsrc\ntests\n\n./src:\ndock.rs\nrope\ntide.rs\n\n./src/rope:\nknot.rs\n\n./tests:\ndock.rs\n",
        ),
        (
            "git status --short",
            &[Listing],
            " M src/dock.rs\nA  src/rope/knot.rs\n D tests/tide.rs\n?? notes/plan.md\nR  src/a.rs -> src/b.rs\n",
        ),
    ]);
}

#[test]
fn configuration_is_no_record() {
    let kinds: &[ContentKind] = &[Code, Prose, Text];
    check(&[
        (
            "env",
            kinds,
            "HOME=/home/keeper\nSHELL=/bin/bash\nLANG=C.UTF-8\nHARBOUR_DOCK=east\nHARBOUR_PORT=8080\n",
        ),
        ("ini", kinds, "[dock]\nname = east\nport = 8080\n\n[tide]\nsource = gauge\ninterval = 30s\n"),
        (
            "toml",
            kinds,
            "[package]\nname = \"harbour\"\nversion = \"0.1.0\"\n\n[dependencies]\nrope = { version = \"1\", features = [\"knot\"] }\n",
        ),
        (
            "yaml",
            kinds,
            "dock:\n  name: east\n  port: 8080\n  ships:\n    - kestrel\n    - heron\ntide:\n  source: gauge\n",
        ),
        (
            "properties",
            kinds,
            "harbour.dock.name=east\nharbour.dock.port=8080\nharbour.tide.source=gauge\nharbour.tide.interval=30\n",
        ),
        (
            "headers",
            kinds,
            "content-type: application/json\ncontent-length: 412\nserver: harbour\ncache-control: no-store\n",
        ),
    ]);
}

#[test]
fn documents_and_code() {
    check(&[
        (
            "page",
            &[Html],
            "<!DOCTYPE html>\n<html><head><title>Dock</title></head><body><p>East.</p></body></html>\n",
        ),
        (
            "Python",
            &[Code],
            "import os\n\n\ndef moor(ship):\n    rope = find(ship)\n    if rope is None:\n        raise DockFull(ship)\n    return tie(rope)\n",
        ),
        (
            "Go",
            &[Code],
            "package dock\n\nimport \"fmt\"\n\nfunc Moor(ship string) error {\n\tif ship == \"\" {\n\t\treturn fmt.Errorf(\"no ship\")\n\t}\n\treturn nil\n}\n",
        ),
        (
            "Markdown",
            &[Prose],
            "# Dock\n\nThe east dock takes twelve ships at high tide.\n\n- Ropes hang at the gate.\n- The keeper has the key.\n\nAsk before you moor there.\n",
        ),
    ]);
}

/// Checks that text which command runners add around the output does not matter.
#[test]
fn envelopes_do_not_hide_what_they_hold() {
    let log: String = (0..30)
        .map(|n| format!("2031-04-09T07:15:{n:02}Z INFO harbour::dock: ship {} moored\n", n * 7 % 11))
        .collect();
    let hits: String =
        (0..30).map(|n| format!("src/dock{}.rs:{}:    moor(ship_{n});\n", n / 10, n * 3 + 1)).collect();
    let diff = "diff --git a/src/dock.rs b/src/dock.rs\nindex 1f2e3d4..4d3e2f1 100644\n--- a/src/dock.rs\n+++ b/src/dock.rs\n@@ -10,9 +10,9 @@ fn moor()\n a\n b\n c\n-tie(ship);\n+tie(&ship);\n d\n e\n f\n g\n";
    for (inside, kind) in [(log.as_str(), Log), (hits.as_str(), Search), (diff, Diff)] {
        for (before, after) in [
            ("<returncode>0</returncode>\n<output>\n", "</output>\n"),
            ("<returncode>1</returncode>\n<output_head>\n", "</output_head>\n"),
            (
                "Chunk ID: 7f3a21\nWall time: 0.0512 seconds\nProcess exited with code 0\nOriginal token count: 412\nOutput:\n",
                "",
            ),
            ("Exit code: 1\nWall time: 0.4 seconds\nOutput:\n", ""),
            ("Exit code 1\n", ""),
            ("", "\n[exit code: 0]\n"),
            ("<bash-stdout>", "</bash-stdout>"),
            ("", "\n(Results are truncated. Consider using a more specific path or pattern.)\n"),
        ] {
            let text = format!("{before}{inside}{after}");
            assert_eq!(routed(&text), kind, "{text}");
        }
    }
}
