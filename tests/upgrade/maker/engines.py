"""The two engines: a database to work in, its rows, and a dump of it."""

import gzip
import os
import re
import shutil
import sqlite3
import subprocess

TABLES = ("products", "categories", "product_changes", "oauth_clients", "oauth_keys", "webhook_events",
          "external_products", "applied_events", "idempotency_keys", "supplier_syncs", "supplier_leases",
          "subscriptions", "deliveries", "change_fan_out", "seed_run", "catalogue")


def compress(text, target):
    """Writes `text`, compressed the same way each time."""
    with open(target, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text)


class Sqlite:
    """A file."""

    name = "sqlite"

    def __init__(self, work, _server):
        self.file = work / "upgrade.db"
        self.url = f"sqlite:{self.file}"

    def rows(self, sql):
        """Returns the rows of a statement, every value as a text, `None` for NULL."""
        with sqlite3.connect(self.file) as connection:
            rows = connection.execute(sql).fetchall()
        connection.close()
        return [[None if value is None else str(value) for value in row] for row in rows]

    def keep(self, directory, name):
        """Copies the file after a checkpoint: the write-ahead log of a killed process belongs to it."""
        with sqlite3.connect(self.file) as connection:
            connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")
        connection.close()
        compress(self.file.read_bytes(), directory / f"sqlite-{name}.db.gz")

    def end(self):
        """Leaves the file to its folder."""


class Mariadb:
    """A database of its own on a server."""

    name = "mariadb"

    def __init__(self, work, server):
        user, password, host, port = re.fullmatch(r"mysql://(.*?):(.*?)@(.*?):(\d+)/", server).groups()
        self.database = f"upgrade_{os.getpid()}_{re.sub('[^a-z0-9]', '', work.name.lower())}"
        self.url = server + self.database
        self.options = ["--no-defaults", "--protocol=tcp", "--default-character-set=utf8mb4", f"--host={host}",
                        f"--port={port}", f"--user={user}"]
        self.environment = os.environ | {"MYSQL_PWD": password}
        self.client("", f"CREATE DATABASE {self.database}")

    def client(self, database, sql):
        """Runs statements by the command line client."""
        command = ["mariadb", *self.options, "--batch", "--skip-column-names", f"--database={database}"]
        return subprocess.run(command, input=sql, env=self.environment, capture_output=True, text=True, check=True).stdout

    def rows(self, sql):
        """Returns the rows of a statement, every value as a text, `None` for NULL."""
        lines = self.client(self.database, sql).splitlines()
        return [[None if value == "NULL" else value for value in line.split("\t")] for line in lines]

    def keep(self, directory, name):
        """Dumps the database as a backup does."""
        command = [shutil.which("mariadb-dump"), *self.options, "--single-transaction", "--hex-blob",
                   "--skip-dump-date", self.database]
        dump = subprocess.run(command, env=self.environment, capture_output=True, check=True).stdout
        compress(dump.replace(self.database.encode(), b"upgrade"), directory / f"mariadb-{name}.sql.gz")

    def end(self):
        """Removes the database."""
        self.client("", f"DROP DATABASE {self.database}")


ENGINES = (Sqlite, Mariadb)
