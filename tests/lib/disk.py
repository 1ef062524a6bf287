"""A file system of one's own in an image, whose power can be cut: it is shut down without writing back what is
still in memory, not even its log, as FS_IOC_SHUTDOWN does for ext4 and xfs.
"""
import fcntl
import struct

from lib.ledger import *

SHUTDOWN = 0x8004587d    # XFS_IOC_GOINGDOWN, which ext4 knows too
NOT_EVEN_THE_LOG = struct.pack('I', 2)


class Disk:
    """A file system in an image, mounted."""

    def __init__(self, kind):
        self.image = os.path.join(home(), kind + '.img')
        self.mount_point = os.path.join(home(), kind)
        os.mkdir(self.mount_point)
        with open(self.image, 'wb') as f:
            f.truncate(400 << 20)
        quiet = {'ext4': ['-q', '-F'], 'xfs': ['-q']}[kind]
        subprocess.run(['mkfs.' + kind, *quiet, self.image], check=True, stdout=subprocess.DEVNULL)
        self.mount()

    def mount(self):
        subprocess.run(['mount', '-o', 'loop', self.image, self.mount_point], check=True)

    def shut_down(self):
        fd = os.open(self.mount_point, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, NOT_EVEN_THE_LOG)
        os.close(fd)

    def unmount(self):
        for _ in range(100):
            if not subprocess.run(['umount', self.mount_point], capture_output=True).returncode:
                return self.let_go()
            time.sleep(0.05)
        subprocess.run(['umount', '-l', self.mount_point])  # leave nothing behind all the same
        raise RuntimeError('cannot unmount ' + self.mount_point)

    def let_go(self):
        """Waits while a namespace of somebody else's still has it: mounted again, it would be the one shut down."""
        for _ in range(200):
            if not subprocess.run(['losetup', '-j', self.image], capture_output=True).stdout:
                return
            time.sleep(0.05)
