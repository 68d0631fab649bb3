"""What happens behind pawl's back, done to real servers, and how it is seen that pawl has noticed: mixins for the tests
of both modes. They want a TestCase with `name` (of the alias), `program`, `connection` and `execute(sql, arguments)`."""

import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess

NOTICED_SECONDS_MAX = 20  # where pawl looks every 300 ms; for a machine that has more to do
LEASE_WAIT_SECONDS = 20  # in which the test must have got a lease that was cut off


class Watched:
    """What pawl says has happened: `status` and `dump` alike."""

    def status(self, program=None):
        return (program or self.program).pawl.status("lex")

    def dumped(self, program=None):
        found = (program or self.program).pawl.json("dump")["pipelines"]
        [pipeline] = [each for each in found if each["name"] == "lex"]
        return pipeline

    def labels(self, program=None):
        """Of the incidents, oldest first."""
        program = program or self.program
        incidents, dumped = self.status(program)["incidents"], self.dumped(program)
        self.assertEqual(dumped["incidents"][: len(incidents)], incidents)
        lines = [line.split() for line in program.pawl.text("dump").splitlines()]
        shown = [words[2] for words in lines if words[:1] == ["incident"]]
        self.assertEqual(shown[: len(incidents)], [incident["label"] for incident in incidents])
        return [incident["label"] for incident in incidents]

    def shows(self, condition, *words, program=None):
        """Of a pawl that is stopped, or whose condition stays what it is."""
        program = program or self.program
        present, dumped = self.status(program), self.dumped(program)
        for known in (present, dumped):
            self.assertEqual(known["condition"], condition, known["condition_detail"])
            for word in words:
                self.assertIn(word, known["condition_detail"])
        self.assertEqual(present["high"], dumped["high"])
        self.assertIn(condition, program.pawl.text("status"))
        self.assertIn(condition, program.pawl.text("dump"))

    def ends(self, process, condition):
        """A pawl that runs, in time; a person has to decide."""
        self.program.wait_for(lambda: process.poll() is not None, "its end", NOTICED_SECONDS_MAX)
        self.assertEqual(process.returncode, 4)
        self.shows(condition)

    def notices(self, *labels):
        """Within the time that is promised; these are all incidents."""
        labels = list(labels)
        self.program.wait_for(
            lambda: [each["label"] for each in self.status()["incidents"]] == labels, labels, NOTICED_SECONDS_MAX
        )
        self.assertEqual(self.labels(), labels)

    def wait_for_condition(self, condition, program=None, seconds=NOTICED_SECONDS_MAX):
        program = program or self.program
        program.wait_for(lambda: (self.status(program) or {}).get("condition") == condition, condition, seconds)


class Moved:
    """Another index behind the alias, or the same one as it was."""

    def index_name(self):
        [name] = self.program.fetch("GET", f"/_alias/{self.name}")
        return name

    def make_index(self, suffix, aliases=()):
        """A new one that pawl has not made, with the mapping of the config; returns its name."""
        mapping = json.loads((self.program.folder / "index.json").read_text(encoding="utf-8"))
        name = f"{self.name}-{suffix}"
        self.program.fetch("PUT", f"/{name}", mapping | {"aliases": {alias: {} for alias in aliases}})
        return name

    def move_alias(self, after):
        """Returns the index that it led to."""
        before = self.index_name()
        actions = [
            {"remove": {"index": before, "alias": self.name}},
            {"add": {"index": after, "alias": self.name, "is_write_index": True}},
        ]
        self.program.fetch("POST", "/_aliases", {"actions": actions})
        return before

    def take_snapshot(self):
        """Of the index behind the alias; returns its name."""
        name = self.index_name()
        self.program.fetch("PUT", f"/_snapshot/{self.name}", {"type": "fs", "settings": {"location": self.name}})
        self.program.fetch("PUT", f"/_snapshot/{self.name}/one?wait_for_completion=true", {"indices": name})
        return name

    def restore_snapshot(self):
        """Over the index behind the alias."""
        name = self.index_name()
        self.program.fetch("POST", f"/{name}/_close")
        self.program.fetch("POST", f"/_snapshot/{self.name}/one/_restore?wait_for_completion=true", {"indices": name})

    def remembered(self):
        mapping = self.program.fetch("GET", f"/{self.name}/_mapping")
        return next(iter(mapping.values()))["mappings"]["_meta"]["pawl"]

    def put_meta(self, meta):
        """By hand, in place of all that the mapping remembers."""
        self.program.fetch("PUT", f"/{self.index_name()}/_mapping", {"_meta": meta})

    def document(self, entity):
        """Its _source, refreshed or not; None: there is none."""
        answer = self.program.index.client().request("GET", f"/{self.name}/_doc/{entity}")
        return answer.ok()["_source"] if answer.status == 200 else None

    def writes_taken(self):
        """How many writes the index has ever taken, also those that changed nothing."""
        answer = self.program.fetch("GET", f"/{self.index_name()}/_stats/indexing?filter_path=_all.primaries")
        counts = answer["_all"]["primaries"]["indexing"]
        return counts["index_total"] + counts["delete_total"] + counts["index_failed"]


class PutBack:
    """A whole database server, `server`, that is put back to a real backup: it hands numbers out again."""

    server = None
    backup = pathlib.Path()

    def dump(self):
        command = ["mariadb-dump", "--no-defaults", f"--socket={self.server.socket}", "--user=root"]
        with self.backup.open("wb") as file:
            subprocess.run([*command, "--single-transaction", "--databases", "karp"], stdout=file, check=True)

    def restore_dump(self):
        with self.backup.open("rb") as file:
            subprocess.run(["mariadb", "--no-defaults", f"--socket={self.server.socket}", "--user=root"],
                           stdin=file, check=True)

    def copy_files(self):
        self.mariadb_backup("--backup", f"--socket={self.server.socket}", "--user=root")
        self.mariadb_backup("--prepare")

    def restore_files(self):
        self.server.stop()
        data = self.server.folder / "data"
        shutil.rmtree(data)
        self.mariadb_backup("--copy-back", f"--datadir={data}")
        self.server.restart()
        self.connect()

    def ends_when_put_back(self, go_on):
        """A pawl that runs meanwhile; `go_on()` writes afterwards. Returns how far pawl had read."""
        self.write_some()
        self.program.must("sync")
        self.copy_files()
        with self.running() as process:
            self.lose_some()
            self.wait_until_equal()
            sent, high = self.writes_taken(), self.status()["high"]
            self.restore_files()
            go_on()
            self.ends(process, "SOURCE_REGRESSED")
        self.assertEqual((self.labels(), self.writes_taken()), (["R15"], sent))
        return high

    def mariadb_backup(self, *arguments):
        done = subprocess.run(["mariadb-backup", "--no-defaults", *arguments, f"--target-dir={self.backup}"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Leased:
    """The lease in the database, looked at and taken by the test itself."""

    def watch_leases(self):
        """The server notes what it is asked from now on, until the test's end."""
        self.execute("SET GLOBAL log_output = 'TABLE'")
        self.execute("SET GLOBAL general_log = ON")
        self.addCleanup(lambda: self.execute("SET GLOBAL general_log = OFF"))

    def asks(self, statement):
        """(connection, what it asked) of all that ask this of the lock that bears the alias, oldest first."""
        like = f"SELECT %{statement}('pawl/{self.name}/%"
        return self.execute("SELECT thread_id, argument FROM mysql.general_log WHERE argument LIKE %s", (like,))

    def wait_for_asks(self, statement, more):
        before = len(self.asks(statement))
        self.program.wait_for(lambda: len(self.asks(statement)) >= before + more, f"asking {statement}")

    def take_lease(self):
        """Cuts the connection that has the lease and takes it, before anybody can; returns what gives it back."""
        self.wait_for_asks("IS_USED_LOCK", 1)
        holder, asked = self.asks("IS_USED_LOCK")[-1]
        [name] = set(re.findall(f"pawl/{self.name}/[0-9a-f]+", asked))
        mine = self.program.database.connect()
        self.addCleanup(mine.close)

        def ask(sql):
            with mine.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0]

        waits = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID = %s AND STATE = 'User lock'"
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            won = pool.submit(ask, f"SELECT GET_LOCK('{name}', {LEASE_WAIT_SECONDS})")
            self.program.wait_for(lambda: self.execute(waits, (mine.thread_id(),)), "waiting for the lease")
            self.execute(f"KILL CONNECTION {holder}")
            self.assertEqual(won.result(), 1)
        return lambda: self.assertEqual(ask(f"SELECT RELEASE_LOCK('{name}')"), 1)
