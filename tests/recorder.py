"""Records every write and flush that reaches some disks, in one order, while a command runs.

    with Recorder(folder, {"node": image, "quorum": image}, watched) as recorder:
        ...             # mounts recorder.export["node"], or writes to it
    recorder.steps      # of powercut.py; volumes count from 0 in the order given
    recorder.images     # what the disks hold in the end

Each export is a file that this process serves to the kernel through /dev/fuse. fsync and fdatasync
of it, and of a file in a file system on it whose driver passes them on, are a flush here; to close
it is none. (The exports of qemu-storage-daemon flush whenever a descriptor is closed, which hides a
forgotten fsync, and the logs of two disks cannot be put in order.) Nothing is cached in the kernel:
writes are recorded as they are made. Root only.

WATCHED is a folder, or None: before a write is carried out, and so while the writer waits for it,
the folder is looked at. If it has changed it is copied to FOLDER/watched.N, and a mark "N" stands
before the write in the record. So a power cut knows what was in the folder at that moment.
"""
import ctypes
import errno
import os
import shutil
import struct
import threading

from powercut import FLUSH, MARK, SECTOR, Step

# linux/fuse.h
FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC = 2, 3, 4, 14, 15, 16, 17, 18, 20
CLOSE, INIT, ACCESS, INTERRUPT, DESTROY, BATCH_FORGET = 25, 26, 34, 36, 38, 42
IN, OUT = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<QIIQQQQQQIIIIIIIIII")
MAJOR, MINOR = 7, 31
BIG_WRITES, DIRECT_IO = 1 << 5, 1
MOST = 128 << 10
REGULAR, BLOCK = 0o100600, 4096
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2

libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags, options):
    if libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def unmount(target, flags=0):
    """False if it is in use, or not mounted."""
    return libc.umount2(os.fsencode(target), flags) == 0


class Recorder:
    def __init__(self, folder, images, watched=None):
        self.folder, self.watched = folder, watched
        self.images = {name: bytearray(image) for name, image in images.items()}
        self.export = {name: os.path.join(folder, "export." + name) for name in images}
        self.steps, self.seen, self.copies = [], None, 0
        self.lock, self.threads = threading.Lock(), []

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        for number, (name, path) in enumerate(self.export.items()):
            with open(path, "wb"):
                pass
            device = os.open("/dev/fuse", os.O_RDWR)
            mount("recorder", path, "fuse", MS_NOSUID | MS_NODEV,
                  "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other" % (device, REGULAR))
            thread = threading.Thread(target=self.serve, args=(device, self.images[name], number), daemon=True)
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(self, *_):
        for path in self.export.values():
            unmount(path) or unmount(path, MNT_DETACH)
        for thread in self.threads:
            thread.join(10)

    # --- requests of the kernel ---

    def serve(self, device, image, number):
        while True:
            try:
                request = os.read(device, MOST + BLOCK)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                break                               # unmounted
            _, opcode, unique = IN.unpack_from(request)[:3]
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            try:
                answer, status = self.answer(opcode, memoryview(request)[IN.size:], image, number), 0
            except OSError as error:
                answer, status = b"", -error.errno
            try:
                os.write(device, OUT.pack(OUT.size + len(answer), status, unique) + answer)
            except OSError:
                pass                                # the request was interrupted
            if opcode == DESTROY:
                break
        os.close(device)

    def answer(self, opcode, data, image, number):
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", MAJOR, MINOR, MOST, BIG_WRITES, 1, 1, MOST, 1, 0, 0, 0)
        if opcode in (GETATTR, SETATTR):
            if opcode == SETATTR and struct.unpack_from("<I", data)[0] & 1 << 3 and \
                    struct.unpack_from("<Q", data, 16)[0] != len(image):
                raise OSError(errno.EPERM, "a disk keeps its size")
            return ATTRIBUTES.pack(0, 0, 0, 1, len(image), len(image) // 512, 0, 0, 0, 0, 0, 0, REGULAR, 1, 0, 0, 0,
                                   BLOCK, 0)
        if opcode == OPEN:
            return struct.pack("<QII", 0, DIRECT_IO, 0)
        if opcode == READ:
            _, at, size = struct.unpack_from("<QQI", data)
            with self.lock:
                return bytes(image[at:at + size])
        if opcode == WRITE:
            _, at, size = struct.unpack_from("<QQI", data)
            self.write(image, number, at, bytes(data[40:40 + size]))
            return struct.pack("<II", size, 0)
        if opcode == FSYNC:
            with self.lock:
                self.steps.append(Step(number, 0, b"", FLUSH))
            return b""
        if opcode == STATFS:
            return struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, BLOCK, 255, BLOCK, 0)
        if opcode in (CLOSE, RELEASE, ACCESS, DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "not served")

    def write(self, image, number, at, data):
        with self.lock:
            if at + len(data) > len(image):
                raise OSError(errno.ENOSPC, "behind the end of the disk")
            self.look()
            image[at:at + len(data)] = data
            low, high = at // SECTOR * SECTOR, -(-(at + len(data)) // SECTOR) * SECTOR
            self.steps.append(Step(number, low, bytes(image[low:high]), 0))

    # --- the folder ---

    def look(self):
        """Copies the watched folder if it has changed."""
        if self.watched is None:
            return
        now = sorted((path, entry.st_ino, entry.st_size, entry.st_mtime_ns)
                     for path, entry in self.all_files())
        if now == self.seen:
            return
        self.seen = now
        copy = os.path.join(self.folder, "watched.%d" % self.copies)
        shutil.rmtree(copy, ignore_errors=True)
        if os.path.isdir(self.watched):
            shutil.copytree(self.watched, copy, symlinks=True)
        else:
            os.mkdir(copy)
        self.steps.append(Step(0, 0, b"", MARK, str(self.copies)))
        self.copies += 1

    def all_files(self):
        for folder, _, names in os.walk(self.watched):
            yield folder, os.lstat(folder)
            for name in names:
                path = os.path.join(folder, name)
                yield path, os.lstat(path)
