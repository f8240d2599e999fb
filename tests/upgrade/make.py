#!/usr/bin/env python3
"""Lets a farmlokal binary create the databases of tests/upgrade/RELEASE. See README.md beside this file."""

import argparse
import json
import pathlib
import tempfile
import time
import urllib.request

from maker import facts, scenario, settings
from maker.engines import ENGINES
from maker.partners import Partners
from maker.service import Binary, say, until


def interrupt(engine, binary):
    """Seeds until some batches are in, and kills the seeding."""
    binary.run("migrate")
    arguments = ("--rows", str(settings.PRODUCTS), "--seed", str(settings.SEED), "--batch", str(settings.BATCH))
    process, _, admin = binary.start("seed", *arguments)

    def begun():
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=1).read().decode()
        except OSError:
            return process.poll() is not None
        return any(line.startswith("farmlokal_seed_rows_done ") and float(line.split()[1]) >= 100
                   for line in text.splitlines())
    until(begun, "the first batches")
    process.kill()
    process.wait()
    found = facts.seeding(engine)
    say(f"interrupted at {found['loaded']} of {found['wanted']} products")
    if found["finished"] or not 0 < found["loaded"] < found["wanted"]:
        raise SystemExit("the seeding was not interrupted; run it again")
    return {"seeding": found, "batch": settings.BATCH, "counts": facts.counts(engine)}


def make(kind, server, binary_path, target):
    """Creates both fixtures on one engine and returns their facts."""
    found = {}
    for name in ("catalogue", "interrupted"):
        print(f"{kind.name}: {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="farmlokal-upgrade-") as directory:
            work, partners = pathlib.Path(directory), Partners()
            engine = kind(work, server)
            binary = Binary(binary_path, settings.environment(work, engine.url, partners.url))
            if name == "catalogue":
                found[name] = scenario.live(engine, binary, partners) | {"partners": partners.url}
            else:
                found[name] = interrupt(engine, binary)
            engine.keep(target, name)
            engine.end()
            partners.end()
    return found


def lines(value, depth=0):
    """Returns JSON with a line for each fact, so that a difference is read easily."""
    if depth == 4 or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = [f"{json.dumps(key, ensure_ascii=False)}: {lines(one, depth + 1)}" for key, one in value.items()] \
        if isinstance(value, dict) else [lines(one, 4) for one in value]
    return "{}\n{}\n{}".format("[{"[isinstance(value, dict)], ",\n".join(inner), "]}"[isinstance(value, dict)])


def main():
    """Reads the arguments and writes the fixtures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=pathlib.Path, help="the release's farmlokal")
    parser.add_argument("release", help="name of the folder, for example the commit")
    parser.add_argument("--mariadb", required=True, metavar="URL", help="server, mysql://user:password@127.0.0.1:port/")
    arguments = parser.parse_args()
    target = pathlib.Path(__file__).parent / arguments.release
    target.mkdir(exist_ok=True)
    found = {
        "release": arguments.release, "madeAt": time.time_ns() // 1_000, "times": facts.TIMES,
        "secrets": {"cursor": settings.CURSOR_SECRET, "key": settings.KEY_SECRET, "source": settings.SOURCE,
                    "sourceSecret": settings.SOURCE_SECRET, "issuer": settings.ISSUER},
    }
    for kind in ENGINES:
        found[kind.name] = make(kind, arguments.mariadb, arguments.binary.resolve(), target)
    (target / "facts.json").write_text(lines(found) + "\n")
    for file in sorted(target.iterdir()):
        say(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
