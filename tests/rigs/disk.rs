//! A disk that can lose its power: an ext4 image on a loop device, mounted where only this process and
//! its children see it. The file system's own shutdown call, without flushing its log, makes it
//! forget whatever was not flushed; mounting it again replays its journal, as after a power cut.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Large enough for a log of SQLite that is emptied late.
const BYTES: u64 = 512 << 20;

/// How long whoever was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`. The call needs what Rust calls unsafe.
const CUT: &str = "import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587D, struct.pack('<I', 2))";

/// The image and where it is mounted; unmounted when dropped.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Makes and mounts one, or says why this machine does not allow it.
    pub(crate) fn new() -> Result<Disk, String> {
        let folder = TempDir::with_prefix("rr-disk-").map_err(|error| error.to_string())?;
        let disk = Disk { folder };
        // PostgreSQL runs under another account than this.
        std::fs::set_permissions(disk.folder.path(), Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        File::create(disk.image())
            .and_then(|file| file.set_len(BYTES))
            .and_then(|()| std::fs::create_dir(disk.mounted()))
            .map_err(|error| error.to_string())?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// The folder that is on this disk.
    pub(crate) fn mounted(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.mounted()))
    }

    /// The power goes: from now on every access is an error.
    pub(crate) fn cut(&self) -> Result<(), String> {
        run(Command::new("python3").args(["-c", CUT]).arg(self.mounted()))
    }

    /// Everything written so far survives a power cut.
    pub(crate) fn sync(&self) -> Result<(), String> {
        run(Command::new("sync").arg("--file-system").arg(self.mounted()))
    }

    /// The power comes back, once nobody uses the disk any more; those who do are dying.
    pub(crate) fn restore(&self) -> Result<(), String> {
        let started = Instant::now();
        loop {
            match run(Command::new("umount").arg(self.mounted())) {
                Ok(()) => return self.mount(),
                Err(reason) if started.elapsed() > PATIENCE => return Err(reason),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It may be cut or never have been mounted; the name space ends with this process anyway.
        let _ = run(Command::new("umount").arg("--lazy").arg(self.mounted()));
    }
}

/// Runs a program; what went wrong, in its own words.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stderr, .. } =
        command.output().map_err(|error| format!("{name}: {error}"))?;
    let words = String::from_utf8_lossy(&stderr).trim().to_owned();
    if status.success() { Ok(()) } else { Err(format!("{name}: {words} ({status})")) }
}
