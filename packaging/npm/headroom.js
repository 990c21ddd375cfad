#!/usr/bin/env node
// Runs the program of the package for this platform.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const tty = require('node:tty');
const { spawn } = require('node:child_process');

const { optionalDependencies: packages, oldestGlibc } = require('./package.json');

/** Ends with a message and the status of shells for a program that cannot be run. */
function fail(message, status) {
    process.stderr.write(`headroom: ${message}\n`);
    process.exit(status);
}

/** The program of this package, if the package is installed. */
function programOf(name) {
    try {
        const folder = path.dirname(require.resolve(`${name}/package.json`));
        return path.join(folder, process.platform === 'win32' ? 'headroom.exe' : 'headroom');
    } catch {
        return undefined;
    }
}

/** Whether this system has a glibc that the program can use. */
function hasGlibc() {
    process.report.excludeNetwork = true;
    const found = process.report.getReport().header.glibcVersionRuntime;
    if (!found) return false;
    const [major, minor] = found.split('.').map(Number);
    return major > oldestGlibc[0] || (major === oldestGlibc[0] && minor >= oldestGlibc[1]);
}

function findProgram() {
    const prefix = `headroom-rs-cli-${process.platform}-${process.arch}`;
    const names = Object.keys(packages).filter((name) => name === prefix || name.startsWith(`${prefix}-`));
    if (names.length === 0) fail(`there is no program for ${process.platform} on ${process.arch}`, 126);
    const installed = names.filter(programOf);
    if (installed.length === 0) {
        fail(`${names.join(' or ')} is missing; install headroom-rs-cli again, with optional dependencies`, 127);
    }
    // Some package managers install the packages of both C libraries; the static program runs with any.
    const best = installed.length > 1 && !hasGlibc() ? installed.find((name) => name.endsWith('-musl')) : undefined;
    return programOf(best ?? installed[0]);
}

/** Whether the terminal sent this signal, which then every process in its foreground has. */
function isFromTerminal() {
    try {
        const stat = fs.readFileSync('/proc/self/stat', 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return fields[2] === fields[5]; // the process group, and the one in the foreground
    } catch {
        return [0, 1, 2].some((fd) => tty.isatty(fd));
    }
}

/**
 * Runs the program as a child, for versions of Node that cannot become another program: signals go to it, and this process
 * ends as it ends. A second process ends it if this one is killed.
 */
function runChild(program, args) {
    let child;
    const fromKeys = ['SIGINT', 'SIGQUIT'];
    const forwarded = process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : [...fromKeys, 'SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'];
    for (const signal of forwarded) {
        process.on(signal, () => {
            // Windows sends Ctrl-C to the program itself.
            if (process.platform === 'win32' || (fromKeys.includes(signal) && isFromTerminal())) return;
            child?.kill(signal);
        });
    }
    child = spawn(program, args, { stdio: 'inherit', windowsHide: false });
    child.on('error', (error) => fail(`cannot run ${program}: ${error.message}`, error.code === 'ENOENT' ? 127 : 126));
    const watcher = process.platform === 'win32' || child.pid === undefined ? undefined : watch(program, child.pid);
    child.on('exit', (code, signal) => {
        const end = () => {
            if (signal === null) process.exit(code);
            for (const name of forwarded) process.removeAllListeners(name);
            process.kill(process.pid, signal);
            setTimeout(() => process.exit(128 + (os.constants.signals[signal] ?? 0)), 1000);
        };
        // It may have ended before.
        if (watcher === undefined || watcher.exitCode !== null || watcher.signalCode !== null) return end();
        watcher.on('exit', end);
        watcher.stdin.end('.');
    });
}

/** Starts `headroom __watch`, which ends that process when this one ends without a word. */
function watch(program, pid) {
    // Detached, so that the keys of the terminal do not reach it.
    const watcher = spawn(program, ['__watch', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watcher.on('error', () => {});
    watcher.stdin.on('error', () => {});
    return watcher.pid === undefined ? undefined : watcher;
}

const program = findProgram();
const args = process.argv.slice(2);
if (process.platform !== 'win32' && typeof process.execve === 'function') {
    try {
        fs.accessSync(program, fs.constants.X_OK);
        process.execve(program, [program, ...args], process.env);
    } catch (error) {
        fail(`cannot run ${program}: ${error.message}`, 126);
    }
} else {
    runChild(program, args);
}
