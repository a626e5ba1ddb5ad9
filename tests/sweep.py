"""Cuts the power of volumes while a command writes to them, at many points, and judges what is left.

    sweep.py NAME --dir DIR --volume NAME=IMAGE... --hive VOLUME:PATH... --run WAY:COMMAND...
             --resume WAY:COMMAND... --rollback WAY:COMMAND... [--status COMMAND] [--backward]
             [--file VOLUME:PATH]... [--last VOLUME:PATH] [--undo DIR | --undo-on VOLUME]
             [--cuts N] [--seed N] [--again EVERY,CUTS] [--save DIR] [--allow WORD]...

COMMAND is run by bash. In its environment $NAME is a volume: where it is mounted if WAY is "mounted",
its image if WAY is "raw". $undos is a folder in which the first --run is to make its UNDO directory,
$undo is that directory. Several steps (first raw, then mounted) make one command.

--run is recorded once, with every write and flush. For each cut there are then the volumes as the
power failure left them, and $undo as it was at that moment, and it must be that

 1. each --hive, recovered with the logs beside it as Windows would, is old or new or refused
    (recovered.py), and --last is not new before all other files are;
 2. --status ends with 6 if the first sector of a hive is neither the old nor the new one and no
    valid base block, and not if all hives have the old or the new one;
 3. --resume ends with 0 and all files are the new ones, --rollback likewise with the old ones; if
    nothing was mounted the images are the same, sector for sector;
 4. while nothing was mounted, only sectors that hold data of --hive (with logs) or --file were
    written, and none before $undo was there;
 5. a refusal of 3. changes no file, and is only for volumes that cannot be read here either.

What a mount can lose, names and records, no tool but chkdsk mends, so there is an answer that counts
as no failure where something is mounted: the driver refuses the volume ("not-mounting"), or the
command refuses it, and ntfs.py or the driver cannot read all of it either ("unreadable").

--backward: the old state is the one after --run (of an undo). --again 5,3: every fifth --resume and
--rollback is recorded, too, and cut three times. --undo-on: $undos is on that volume, which is cut
like the others, and mounted in either way; where nothing is left of $undo the other volumes must be as
they were. A volume that is not NTFS is mounted by the kernel. --save: the images after --run and $undos are left
there. --allow partial: is no failure (recovered.py).

Prints a line of counts, then what is wrong. Exit status: 0, 1 something is wrong, 2 wrong use.
"""
import argparse
import collections
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import ntfs
import powercut
from recorder import MNT_DETACH, Recorder, unmount
from recovered import GOOD, Judge, base_is_valid, logs_of

MODELS = ("cut", "cut", "scatter", "cut", "cut", "prefix")
NTFS_OPTIONS = os.environ.get("SWEEP_NTFS_OPTIONS", "rw,nodev,nosuid,noexec,windows_names") + ",no_detach"
SECONDS = 120
TOLD, MOST_WRONG = 300, 20


class NotMounting(Exception):
    pass


class Mounted:
    """Some volumes, mounted: {name: image or export} at FOLDER/m.NAME."""

    def __init__(self, folder, paths):
        self.folder, self.paths, self.drivers = folder, paths, []
        self.at = {name: os.path.join(folder, "m." + name) for name in paths}

    def __enter__(self):
        try:
            for name, path in self.paths.items():
                os.makedirs(self.at[name], exist_ok=True)
                if is_ntfs(path):
                    self.ntfs(path, self.at[name])
                elif subprocess.run(["mount", "-o", "loop,nodev,nosuid,noexec", path, self.at[name]],
                                    capture_output=True).returncode:
                    raise NotMounting(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def ntfs(self, path, at):
        """The driver stays in the foreground: when it has ended all is on the disk."""
        driver = subprocess.Popen(["ntfs-3g", "-o", NTFS_OPTIONS, path, at], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.drivers.append(driver)
        while not os.path.ismount(at):
            if driver.poll() is not None:
                raise NotMounting(path)
            time.sleep(0.002)

    def __exit__(self, *_):
        for at in self.at.values():
            end = time.monotonic() + 10
            while os.path.ismount(at) and not unmount(at):
                if time.monotonic() > end:
                    unmount(at, MNT_DETACH)
                time.sleep(0.01)
        for driver in self.drivers:
            driver.wait()


def is_ntfs(path):
    with open(path, "rb") as file:
        return file.read(11)[3:] == b"NTFS    "


def only_one(folder):
    """The one directory in it, or None."""
    names = [name for name in sorted(os.listdir(folder)) if os.path.isdir(os.path.join(folder, name))
             and name != "lost+found"] if os.path.isdir(folder) else []
    return os.path.join(folder, names[-1]) if names else None


class Answer(collections.namedtuple("Answer", "status said")):
    def __str__(self):
        said = " | ".join(self.said.split("\n"))
        if len(said) > TOLD:
            said = said[:TOLD // 2] + "..." + said[-TOLD // 2:]
        return "exit status %d: %s" % (self.status, said)


def run(command, environment):
    done = subprocess.run(["bash", "-c", command], env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, errors="replace")
    return Answer(done.returncode, done.stdout.strip())


def carry_out(steps, folder, paths, undos, undo_on, between=lambda: None, first=lambda run: None):
    """Runs the steps of a command; the Answer of the last one, or of the first that failed. FIRST is
    called before, with a function that runs a command where the first step does."""
    answer = Answer(0, "")
    for way, command in steps:
        mounts = {name: path for name, path in paths.items()
                  if way == "mounted" or name == undo_on or not is_ntfs(path)}
        with Mounted(folder, mounts) as mounted:
            environment = {**os.environ, **paths, **mounted.at}
            environment["undos"] = mounted.at[undo_on] + "/undo" if undo_on else undos
            environment["undo"] = only_one(environment["undos"]) or ""
            if undo_on and not environment["undo"] and "$undos" not in command:
                return Answer(-1, "no UNDO")
            first(lambda command, environment=environment: run(command, environment))
            first = lambda run: None
            answer = run(command, environment)
        between()
        if answer.status:
            break
    return answer


def volume_of(name_and_path):
    volume, _, path = name_and_path.partition(":")
    return volume, path


class Files:
    """All files of some volumes, read by ntfs.py, and what of them cannot be read."""

    def __init__(self, images, undo_on):
        self.problems, self.trees = [], {}
        for name, image in images.items():
            if name != undo_on:
                try:
                    self.trees[name] = ntfs.Volume(image).tree(self.problems)
                except ntfs.NtfsError as error:
                    self.problems.append("%s: %s" % (name, error))
                    self.trees[name] = {}

    def hive(self, volume, path):
        """(hive, logs), or None if there is no such file."""
        tree = self.trees[volume]
        found = [one for one in tree if one.upper() == path.upper()]
        if not found:
            return None
        folder, _, name = found[0].rpartition("/")
        names = [one.rpartition("/")[2] for one in tree if one.rpartition("/")[0] == folder]
        return tree[found[0]], [(log, tree[folder + "/" + log]) for log in logs_of(name, names)]

    def difference(self, other):
        """What of OTHER is not so here; an empty text if all is the same."""
        found = []
        for volume, tree in other.trees.items():
            own = self.trees[volume]
            for path in sorted(own.keys() | tree.keys()):
                if own.get(path) != tree.get(path):
                    found.append("%s:%s %s" % (volume, path, "is not there" if path not in own else
                                               "is there" if path not in tree else "differs"))
        return ", ".join(found[:5]) + (" and %d more" % (len(found) - 5) if len(found) > 5 else "")


class Case:
    """A recorded command, and what must be true of every power cut in it."""

    def __init__(self, options, folder, before, undos, parent=None, run=None):
        """PARENT: the case of which one end, RUN, is recorded."""
        self.options, self.folder, self.before = options, folder, before
        self.wrong, self.boundaries = [], []
        os.makedirs(folder, exist_ok=True)
        with Recorder(folder, before, None if options.undo_on else undos) as recorder:
            self.answer = carry_out(run or options.run, folder, recorder.export, undos, options.undo_on,
                                    lambda: self.boundaries.append(len(recorder.steps)))
        self.steps, self.after = recorder.steps, {name: bytes(image) for name, image in recorder.images.items()}
        self.whole = not any(way == "mounted" for way, _ in options.run + options.resume + options.rollback)
        if parent:
            self.old, self.old_files = parent.old, parent.old_files
            self.new, self.new_files, self.judges = parent.new, parent.new_files, parent.judges
        else:
            self.old, self.new = (self.after, before) if options.backward else (before, self.after)
            self.old_files, self.new_files = Files(self.old, options.undo_on), Files(self.new, options.undo_on)
            self.judges = {}
            for volume, path in options.hive:
                sides = [files.hive(volume, path) or (b"", []) for files in (self.old_files, self.new_files)]
                self.judges[volume, path] = Judge(*sides)
        self.last = options.last if not parent and not options.backward else None
        told = [step for step in self.steps if not step.mark]
        self.made, self.writes = len(told), sum(1 for step in told if step.data)
        self.flushes = sorted({0, self.made, *(number for number, step in enumerate(told) if not step.data)})
        self.first = self.first_data()
        self.look(run or options.run)

    def first_data(self):
        """How many steps there are before the first one that writes data of a file that is about."""
        numbers = list(self.before)
        ranges = {numbers.index(name): found for name, found in self.data_ranges().items()}
        made = 0
        for step in self.steps:
            if step.data and any(at < step.at + len(step.data) and step.at < at + size
                                 for at, size in ranges.get(step.volume, ())):
                break
            made += not step.mark
        return made

    def data_ranges(self):
        """{volume: [(offset, size)]} of the sectors that hold data of the files that are about."""
        found = {}
        for name, image in self.before.items():
            if name == self.options.undo_on:
                continue
            volume, found[name] = ntfs.Volume(image), []
            about = [path.upper() for of, path in self.options.hive + self.options.file if of == name]
            for path, number in volume.walk(problems=[]):
                if any(path.upper() == one or logs_of(one, [path]) or
                       one.endswith("/*") and path.upper().startswith(one[:-1]) for one in about):
                    found[name] += volume.extents(number, tight=True)
        return found

    def look(self, run):
        """What can be said of the record itself."""
        if self.answer.status:
            self.wrong.append("the command itself: %s" % (self.answer,))
        writes, start = list(self.before), 0
        ranges = self.data_ranges()
        for (way, _), end in zip(run, self.boundaries):
            for step in self.steps[start:end] if way == "raw" else ():
                name = writes[step.volume]
                if step.data and name in ranges:
                    allowed = {sector for at, size in ranges[name]
                               for sector in range(at // ntfs.SECTOR, (at + size) // ntfs.SECTOR)}
                    here = range(step.at // ntfs.SECTOR, (step.at + len(step.data)) // ntfs.SECTOR)
                    outside = [sector for sector in here if sector not in allowed]
                    if outside:
                        self.wrong.append("%s: sector %d is no file's data, and was written" % (name, outside[0]))
            start = end
        for files, what in ((self.old_files, "old"), (self.new_files, "new")):
            for problem in files.problems:
                self.wrong.append("the %s volume cannot be read: %s" % (what, problem))

    def cut(self, number, cuts, seed):
        """Cut NUMBER of CUTS: (the Cut, what to call it). Half of the points lie evenly in the record, half
        evenly in its flushes, between which there may be one write or a hundred."""
        rng = random.Random("%d %d" % (seed, number))
        model = MODELS[number % len(MODELS)]
        where = (number + rng.random()) / cuts
        if model == "prefix":
            made = min(int(where * (self.writes + 1)), self.writes)
            return powercut.prefix(self.steps, made), "prefix %d" % made
        if number % 2:
            where *= len(self.flushes) - 1
            start, end = self.flushes[int(where)], self.flushes[int(where) + 1]
            point = start + int(where % 1 * (end - start + 1))
        else:
            point = min(int(where * (self.made + 1)), self.made)
        chosen = rng.getrandbits(30)
        return powercut.cut(self.steps, chosen, model == "scatter", point), "%s seed %d point %d" % (
            model, chosen, point)

    def images(self, some):
        found = [bytearray(image) for image in self.before.values()]
        powercut.apply(found, some.writes)
        return dict(zip(self.before, found))


class Attempt:
    """One power cut."""

    def __init__(self, case, some, what, folder):
        self.case, self.some, self.what, self.folder = case, some, what, folder
        self.options = case.options
        self.counts, self.wrong, self.objection = collections.Counter(), [], ""
        self.images = case.images(some)
        self.files = Files(self.images, self.options.undo_on)
        os.makedirs(folder, exist_ok=True)

    def wrongly(self, text):
        self.wrong.append("%s (%d of %d steps open): %s" % (self.what, self.some.open, self.case.made, text))

    def judge(self):
        """Rule 1. Leaves for rule 2 whether a hive is marked as torn, and whether one may be."""
        words, self.marked, self.other = [], False, False
        for (volume, path), judge in self.case.judges.items():
            found = self.files.hive(volume, path)
            if found is None:
                known = self.case.old_files.hive(volume, path) and self.case.new_files.hive(volume, path)
                words.append("unreadable" if self.files.problems else "missing" if not known else "MIX")
                if words[-1] == "MIX":
                    self.wrongly("%s:%s is not there" % (volume, path))
                continue
            word, why = judge.of(*found)
            if word not in GOOD and self.log_unreadable(judge, found[1]):
                word = "unreadable"
            words.append(word)
            sector = found[0][:ntfs.SECTOR]
            if sector not in (judge.old.hive[:ntfs.SECTOR], judge.new.hive[:ntfs.SECTOR]):
                self.other = True
                self.marked |= bool(found[0]) and not base_is_valid(sector)
            if base_is_valid(sector) and found[0] not in (judge.old.hive, judge.new.hive):
                self.counts["state (a base block before other bytes)"] += 1
            if word not in GOOD + ("unreadable",) and word not in self.options.allow:
                self.wrongly("%s:%s is %s: %s" % (volume, path, word, why))
        self.counts["state " + "+".join(sorted(set(words)))] += 1
        if self.case.last and not self.files.problems:
            last, new, old = (files.hive(*self.case.last) for files in (
                self.files, self.case.new_files, self.case.old_files))
            if last and new and last[0] == new[0] and not (old and old[0] == new[0]):
                difference = self.files.difference(self.case.new_files)
                if difference:
                    self.wrongly("%s is new already, but %s" % (self.case.last[1], difference))

    def log_unreadable(self, judge, logs):
        """Is a log that both states have not among those that were read, because something is torn?"""
        both = set.intersection(*({name.upper() for name, _ in state.logs} for state in (judge.old, judge.new)))
        return bool(self.files.problems) and not both <= {name.upper() for name, _ in logs}

    def lay_out(self):
        """The images as files, and UNDO, as the power cut left them. {name: path}"""
        paths = {name: os.path.join(self.folder, name + ".img") for name in self.images}
        for name, image in self.images.items():
            with open(paths[name], "wb") as file:
                file.write(image)
        self.undos = os.path.join(self.folder, "undo")
        shutil.rmtree(self.undos, ignore_errors=True)
        source = os.path.join(self.case.folder, "watched." + self.some.mark) if self.some.mark else None
        if source and not self.options.undo_on:
            shutil.copytree(source, self.undos, symlinks=True)
        return paths

    def untouched(self):
        """Where no UNDO is: has anything been changed?"""
        self.counts["no UNDO yet"] += 1
        difference = self.files.difference(self.case.new_files if self.options.backward else self.case.old_files)
        if difference and not self.files.problems:
            self.wrongly("there is no UNDO, but %s" % difference)

    def without_undo(self, name):
        """The volume of UNDO does not mount. That may be before the first write, or after the last."""
        if not self.options.undo_on:
            self.wrongly("%s: a volume cannot be mounted" % name)
        elif all(self.files.difference(files) for files in (self.case.old_files, self.case.new_files)):
            self.wrongly("%s: the volume of UNDO cannot be mounted, and files are neither old nor new" % name)

    def status(self, run):
        """Rule 2."""
        if not self.options.status or self.files.problems:
            return
        answer = run(self.options.status)
        if answer.status != 6 and self.marked:
            self.objection = "status, a hive is marked: %s" % (answer,)
        if answer.status == 6 and not self.other:
            self.objection = "status, no hive is marked: %s" % (answer,)

    def end(self, name, steps, goal, goal_files):
        """Rules 3 and 5. False if there is no UNDO."""
        paths = self.lay_out()
        if not self.options.undo_on and not only_one(self.undos):
            return False
        try:
            answer = carry_out(steps, self.folder, paths, self.undos, self.options.undo_on,
                               first=self.status if name == "resume" else lambda run: None)
        except NotMounting:
            self.counts["%s not-mounting" % name] += 1
            if not any(way == "mounted" for way, _ in steps):
                self.without_undo(name)
            return True
        except subprocess.TimeoutExpired:
            self.wrongly("%s: takes more than %d seconds" % (name, SECONDS))
            return True
        if answer.status == -1:
            return False
        images = {one: ntfs.load(path) for one, path in paths.items()}
        judged = {one: image for one, image in images.items() if one != self.options.undo_on}
        if answer.status == 0 and self.case.whole and all(goal[one] == image for one, image in judged.items()):
            self.counts["%s exact" % name] += 1
            return True
        files = Files(judged, self.options.undo_on)
        difference = files.difference(goal_files)
        if answer.status == 0:
            self.ended(name, files, difference, goal, judged)
        else:
            self.refused(name, steps, answer, files)
        return True

    def ended(self, name, files, difference, goal, images):
        if files.problems:
            self.counts["%s done, chkdsk" % name] += 1
            if not self.files.problems:
                self.wrongly("%s: cannot be read any more: %s" % (name, files.problems[0]))
        elif difference:
            self.wrongly("%s: ends with 0, but %s" % (name, difference))
        elif self.case.whole:
            sectors = [sector for one, image in images.items() for sector in ntfs.differing(goal[one], image)]
            self.wrongly("%s: the files are right, but sector %d of %d is not" % (name, sectors[0], len(sectors)))
        else:
            self.counts["%s exact" % name] += 1

    def driver_objects(self):
        """Can the driver not read something, where ntfs.py can?"""
        try:
            with Mounted(self.folder, self.lay_out()) as mounted:
                for folder in mounted.at.values():
                    for at, _, names in os.walk(folder, onerror=self.raising):
                        for name in names:
                            ntfs.load(os.path.join(at, name))
        except (OSError, NotMounting):
            return True
        return False

    @staticmethod
    def raising(error):
        raise error

    def refused(self, name, steps, answer, files):
        changed = files.difference(self.files)
        early = self.some.point <= self.case.first and not self.files.problems
        if early and not self.files.difference(self.case.new_files if self.options.backward else self.case.old_files):
            self.counts["%s refused, nothing done" % name] += 1
        elif self.files.problems or any(way == "mounted" for way, _ in steps) and self.driver_objects():
            self.counts["%s unreadable" % name] += 1
        else:
            self.wrongly("%s: %s" % (name, answer))
        if changed and not self.files.problems:
            self.wrongly("%s: fails, but %s" % (name, changed))

    def again(self, name, steps, cuts):
        """The end itself is cut."""
        self.lay_out()
        folder = os.path.join(self.folder, "again")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            case = Case(self.options, folder, {one: bytes(image) for one, image in self.images.items()}, self.undos,
                        self.case, steps)
        except NotMounting:
            return
        if case.answer.status == 0:
            self.wrong += ["%s, %s: %s" % (self.what, name, text) for text in case.wrong]
        if len(case.flushes) < 2:  # nothing was left to be done
            return
        for number in range(cuts):
            some, what = case.cut(number, cuts, random.Random(self.what + name).getrandbits(30))
            inner = Attempt(case, some, "%s, %s: %s" % (self.what, name, what), os.path.join(self.folder, "inner"))
            inner.all()
            self.counts.update({("again " + key): count for key, count in inner.counts.items()})
            self.wrong += inner.wrong

    def all(self):
        self.judge()
        if any(not self.end(name, steps, *goal) for name, steps, *goal in self.ends()):
            self.untouched()
        if self.objection and not (self.options.resume[0][0] == "mounted" and self.driver_objects()):
            self.wrongly(self.objection)
        if self.wrong and os.environ.get("SWEEP_KEEP"):
            for name, image in self.images.items():
                with open(os.path.join(self.options.dir, "%s.%s.img" % (self.what.replace(" ", "-"), name)),
                          "wb") as file:
                    file.write(image)

    def ends(self):
        return (("resume", self.options.resume, self.case.new, self.case.new_files),
                ("rollback", self.options.rollback, self.case.old, self.case.old_files))


def attempt(number):
    """In a worker: (counts, what is wrong) of one cut."""
    case = attempt.case
    some, what = case.cut(number, case.options.cuts, case.options.seed)
    one = Attempt(case, some, what, os.path.join(case.options.dir, "worker.%d" % os.getpid()))
    one.all()
    if case.options.again and number % case.options.again[0] == 0 and not one.wrong + one.files.problems and (
            only_one(getattr(one, "undos", "")) or case.options.undo_on):
        for name, steps, *_ in one.ends():
            one.again(name, steps, case.options.again[1])
    return one.counts, one.wrong


def step_of(text):
    way, _, command = text.partition(":")
    if way not in ("raw", "mounted"):
        raise argparse.ArgumentTypeError("%s: neither raw: nor mounted:" % text)
    return way, command


def options_of(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("name")
    parser.add_argument("--dir", required=True)
    parser.add_argument("--volume", action="append", required=True)
    for name in ("--hive", "--file"):
        parser.add_argument(name, action="append", type=volume_of, default=[])
    for name in ("--run", "--resume", "--rollback"):
        parser.add_argument(name, action="append", required=True, type=step_of)
    parser.add_argument("--last", type=volume_of)
    for name in ("--status", "--undo", "--undo-on", "--save"):
        parser.add_argument(name)
    parser.add_argument("--backward", action="store_true")
    parser.add_argument("--cuts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--allow", action="append", default=[])
    return parser.parse_args(arguments)


def save(case, undos, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name, image in case.after.items():
        with open(os.path.join(folder, name + ".img"), "wb") as file:
            file.write(image)
    if os.path.isdir(undos):
        shutil.copytree(undos, os.path.join(folder, "undo"), symlinks=True)


def told(case, counts):
    """The line of counts."""
    parts = ["%d writes, %d flushes, %d cuts" % (case.writes, case.made - case.writes, case.options.cuts)]
    for group in ("state", "resume", "rollback", "again", "no"):
        found = ["%s %d" % (key.partition(" ")[2] if group != "no" else key, counts[key])
                 for key in sorted(counts) if key.partition(" ")[0] == group]
        if found:
            parts.append((group + ": " if group != "no" else "") + ", ".join(found))
    return "%s: %s" % (case.options.name, "; ".join(parts))


def main(*arguments):
    options = options_of(arguments)
    images = {}
    for one in options.volume:
        name, _, path = one.partition("=")
        images[name] = ntfs.load(path)
    undos = os.path.join(options.dir, "undo")
    shutil.rmtree(undos, ignore_errors=True)
    if options.undo:
        shutil.copytree(options.undo, undos, symlinks=True)
    else:
        os.makedirs(undos)
    try:
        case = Case(options, os.path.join(options.dir, "record"), images, undos)
    except NotMounting as error:
        print("%s: cannot be mounted: %s" % (options.name, error))
        return 1
    powercut.write_log(os.path.join(options.dir, "log"), case.steps)
    if options.save:
        save(case, undos, options.save)
    counts, wrong = collections.Counter(), list(dict.fromkeys(case.wrong))
    if case.answer.status == 0:
        attempt.case = case
        with multiprocessing.get_context("fork").Pool(2) as pool:
            for more, bad in pool.imap_unordered(attempt, range(options.cuts)):
                counts.update(more)
                wrong += bad
    print(told(case, counts))
    for line in wrong[:MOST_WRONG]:
        print("wrong: %s" % line)
    if len(wrong) > MOST_WRONG:
        print("wrong: and %d more" % (len(wrong) - MOST_WRONG))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
