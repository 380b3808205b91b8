//! A place where narrows may change whatever it likes: a mount namespace whose `/etc` is a copy, and a network namespace.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use change::plan::Plan;
use model::report::Report;
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};
use tempfile::TempDir;

use crate::empty_folders;
use crate::faults::mount_namespace::MountNamespace;
use crate::faults::netns::Namespace;
use crate::faults::tools::NSENTER;
use crate::faults::{Attempt, FaultError, Result};

/// How narrows comes into the network namespace it is to change.
enum Network {
    /// It is this machine's own.
    Machine,
    /// It is entered first, and process 1 seems to be in it: to narrows it is that of a whole machine.
    Own(String),
    /// It is entered first, as a container's, with nsenter.
    Entered(String),
    /// It is named by `--netns`.
    Named(String),
}

/// Where narrows runs, with a journal and a copy of `/etc` of its own.
pub struct Site {
    /// `None` where `/etc` itself may be changed.
    mounts: Option<MountNamespace>,
    network: Network,
    folder: TempDir,
}

/// All files below `/etc`: contents or link, with mode, owner, group and time of modification.
pub type Etc = BTreeMap<PathBuf, (Vec<u8>, u32, u32, u32, Option<(i64, i64)>)>;

impl Site {
    /// This machine with a copy of `/etc`.
    pub fn machine() -> Result<Self> {
        Self::create(Network::Machine)
    }

    /// This machine as it is: a guest, which is thrown away afterwards.
    pub fn guest() -> Result<Self> {
        let folder = TempDir::new().attempt(|| "make a folder for plans and the journal".to_owned())?;
        match fs::read_to_string("/proc/cmdline") {
            Ok(arguments) if arguments.contains("lab.init=") => {
                Ok(Self { mounts: None, network: Network::Machine, folder })
            }
            _ => Err(FaultError::new("this is no guest of the lab, and narrows would change it for good")),
        }
    }

    /// A network namespace that narrows takes for the machine's own, so that what it changes lasts by files.
    pub fn own(namespace: &Namespace) -> Result<Self> {
        let site = Self::create(Network::Own(namespace.name().to_owned()))?;
        let handle = spelled(&format!("/run/netns/{}", namespace.name()))?;
        site.within(|| {
            // Which namespace is the machine's narrows tells by that of process 1.
            mount(c"process-1", c"/proc/1", c"tmpfs", MountFlags::empty(), None)
                .attempt(|| "mount over /proc/1".to_owned())?;
            fs::create_dir("/proc/1/ns")
                .and_then(|()| fs::write("/proc/1/ns/net", ""))
                .attempt(|| "make a process 1".to_owned())?;
            mount_bind(handle.as_c_str(), c"/proc/1/ns/net")
                .attempt(|| "give process 1 a network namespace".to_owned())?;
            rustix::thread::move_into_link_name_space(namespace.entrance(), None)
                .attempt(|| "enter a network namespace".to_owned())?;
            mount(c"sysfs", c"/sys", c"sysfs", MountFlags::empty(), None)
                .attempt(|| "mount the namespace's /sys".to_owned())
        })?;
        Ok(site)
    }

    /// A machine of its own, as far as narrows and Debian's scripts can see: network, processes, and folders for what
    /// services write, which are empty. `/var/www` and `/srv` are empty, too.
    pub fn whole(namespace: &Namespace) -> Result<Self> {
        let network = Network::Own(namespace.name().to_owned());
        let site = Self::create_on(MountNamespace::create_with_processes()?, network)?;
        site.within(|| {
            rustix::thread::move_into_link_name_space(namespace.entrance(), None)
                .attempt(|| "enter a network namespace".to_owned())?;
            let groups = site.folder.path().join("cgroup");
            fs::create_dir(&groups).attempt(|| format!("make {}", groups.display()))?;
            let groups = spelled(&groups.display().to_string())?;
            let kept = mount_bind_recursive(c"/sys/fs/cgroup", groups.as_c_str());
            kept.attempt(|| "keep the control groups".to_owned())?;
            mount(c"sysfs", c"/sys", c"sysfs", MountFlags::empty(), None)
                .attempt(|| "mount the namespace's /sys".to_owned())?;
            mount_bind_recursive(groups.as_c_str(), c"/sys/fs/cgroup")
                .attempt(|| "put the control groups back".to_owned())?;
            empty_folders::mount_all()
        })?;
        Ok(site)
    }

    /// A network namespace that narrows is started in, as in a container's.
    pub fn entered(namespace: &Namespace) -> Result<Self> {
        Self::create(Network::Entered(namespace.name().to_owned()))
    }

    /// A network namespace that narrows enters itself, by its name.
    pub fn named(namespace: &Namespace) -> Result<Self> {
        Self::create(Network::Named(namespace.name().to_owned()))
    }

    fn create(network: Network) -> Result<Self> {
        Self::create_on(MountNamespace::create()?, network)
    }

    fn create_on(mounts: MountNamespace, network: Network) -> Result<Self> {
        let folder = TempDir::new().attempt(|| "make a folder for plans and the journal".to_owned())?;
        let (copy, etc) = (folder.path().join("etc"), folder.path().join("etc").display().to_string());
        fs::create_dir(&copy).attempt(|| format!("make {etc}"))?;
        let target = spelled(&etc)?;
        mounts.run(|| {
            mount(c"etc", target.as_c_str(), c"tmpfs", MountFlags::empty(), None)
                .attempt(|| format!("mount a file system at {etc}"))?;
            let copied = Command::new("cp").args(["-a", "/etc/.", &etc]).status();
            let copied = copied.attempt(|| "run cp".to_owned())?;
            if !copied.success() {
                return Err(FaultError::new(format!("cp of /etc ended with {copied}")));
            }
            mount_bind(target.as_c_str(), c"/etc").attempt(|| "mount the copy of /etc".to_owned())
        })?;
        let site = Self { mounts: Some(mounts), network, folder };
        site.write("/etc/sysctl.d/README.remedies", "a copy for a test\n")?;
        match Path::new("/etc/sysctl.d/README.remedies").exists() {
            true => Err(FaultError::new("the copy of /etc is not apart from the machine's")),
            false => Ok(site),
        }
    }

    fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match &self.mounts {
            Some(mounts) => mounts.run(work),
            None => work(),
        }
    }

    /// Prepares a program to run here.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(mounts) = &self.mounts else { return Command::new(program) };
        let mut command = Command::new(NSENTER.program);
        command.args(mounts.nsenter_options());
        if let Network::Own(name) | Network::Entered(name) = &self.network {
            command.arg(format!("--net=/run/netns/{name}"));
        }
        command.arg("--").arg(program);
        command
    }

    /// Gives this place a name, a `/var/lib` that is empty, and no init system that would act on the machine itself, so
    /// that narrows can be used without any option, as on a host.
    pub fn furnish(&self, name: &str) -> Result<()> {
        self.pretend("/proc/sys/kernel/hostname", &format!("{name}\n"))?;
        self.within(|| {
            for covered in [c"/var/lib", c"/run/systemd"] {
                let path = covered.to_string_lossy();
                if Path::new(path.as_ref()).is_dir() {
                    mount(c"empty", covered, c"tmpfs", MountFlags::empty(), None)
                        .attempt(|| format!("mount over {path}"))?;
                }
            }
            Ok(())
        })
    }

    /// Prepares a line of a shell in which `narrows` is found, in a folder of its own.
    pub fn shell(&self, line: &str) -> Result<Command> {
        let program = crate::narrows::program()?;
        let mut command = self.command("sh");
        command.args(["-c", "cd \"$1\" && PATH=\"$2:$PATH\" && eval \"$3\"", "sh"]).arg(self.folder.path());
        command.arg(program.parent().unwrap_or(Path::new("/"))).arg(line);
        Ok(command)
    }

    /// Runs narrows to its end.
    pub fn narrows(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.command(crate::narrows::program()?);
        // A plan names the namespace that it changes, so that what carries it out or undoes it is told none.
        if let (Network::Named(name), Some(&("plan" | "check"))) = (&self.network, arguments.first()) {
            command.args(["--netns", name]);
        }
        command.args(arguments).env("NO_COLOR", "1");
        command.output().attempt(|| format!("run narrows {}", arguments.join(" ")))
    }

    /// The same, which must end with 0; gives what it printed.
    pub fn succeeds(&self, arguments: &[&str]) -> Result<String> {
        let output = self.narrows(arguments)?;
        let (printed, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            return Ok(printed.into_owned());
        }
        let shown = arguments.join(" ");
        Err(FaultError::new(format!("narrows {shown}: {}\n{printed}{complaint}", output.status)))
    }

    /// `narrows check`, and what it reported.
    pub fn check(&self, options: &[&str]) -> Result<Report> {
        let json = ["--format", "json", "--fail-on", "never"];
        let report = self.succeeds(&[&["check"], &json[..], options].concat())?;
        serde_json::from_str(&report).attempt(|| "understand a report".to_owned())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Where the plan lies that is applied next.
    pub fn plan_path(&self) -> String {
        self.path("plan.json")
    }

    /// `narrows plan -o`, and what it saved.
    pub fn plan(&self, options: &[&str]) -> Result<Plan> {
        let path = self.path("plan.json");
        self.succeeds(&[&["plan", "-o", &path], options].concat())?;
        let json = fs::read(&path).attempt(|| format!("read {path}"))?;
        Plan::from_json(&json).attempt(|| format!("understand {path}"))
    }

    /// The same, which must hold a change, and must refuse and leave to a person nothing of what the causes ask for.
    pub fn plan_in_full(&self, options: &[&str]) -> Result<Plan> {
        let plan = self.plan(options)?;
        let Plan { changes, refused, by_hand, .. } = &plan;
        match !changes.is_empty() && refused.is_empty() && by_hand.is_empty() {
            true => Ok(plan),
            false => Err(FaultError::new(format!(
                "the plan holds {} changes, refuses {refused:?} and leaves {by_hand:?} to a person",
                changes.len()
            ))),
        }
    }

    /// `narrows plan -o` until it plans something, three times at most: what one window shows of a load depends on what else
    /// the machine does meanwhile.
    pub fn plan_something(&self, options: &[&str]) -> Result<Plan> {
        let (mut refused, mut by_hand) = (vec![], vec![]);
        for _ in 0..3 {
            let plan = self.plan(options)?;
            if !plan.changes.is_empty() {
                return Ok(plan);
            }
            (refused, by_hand) = (plan.refused, plan.by_hand);
        }
        Err(FaultError::new(format!(
            "narrows plans nothing with {}; it refuses {refused:?} and leaves {by_hand:?} to a person",
            options.join(" ")
        )))
    }

    /// `narrows apply` of the plan that was saved last.
    pub fn apply(&self) -> Result<String> {
        let (plan, state) = (self.path("plan.json"), self.path("state"));
        self.succeeds(&["apply", &plan, "--yes", "--state-dir", &state])
    }

    /// The same, and services that do not take a change up by a reload are restarted.
    pub fn apply_and_restart(&self) -> Result<String> {
        let (plan, state) = (self.path("plan.json"), self.path("state"));
        self.succeeds(&["apply", &plan, "--yes", "--restart", "--state-dir", &state])
    }

    /// Lays a plan down as if `narrows plan -o` had saved it.
    pub fn lay_plan(&self, plan: &Plan) -> Result<()> {
        let path = self.path("plan.json");
        let json = serde_json::to_vec_pretty(plan).attempt(|| "write a plan".to_owned())?;
        fs::write(&path, json).attempt(|| format!("write {path}"))
    }

    /// Prepares `narrows prove` of the plan that was saved last.
    pub fn prove(&self, options: &[&str]) -> Result<Command> {
        let mut command = self.command(crate::narrows::program()?);
        let (plan, state) = (self.path("plan.json"), self.path("state"));
        command.args(["prove", "--plan", &plan, "--state-dir", &state, "--format", "json"]);
        command.args(options).env("NO_COLOR", "1");
        Ok(command)
    }

    /// `narrows history` as JSON.
    pub fn history(&self) -> Result<serde_json::Value> {
        let json = self.succeeds(&["history", "--state-dir", &self.path("state"), "--format", "json"])?;
        serde_json::from_str(&json).attempt(|| "understand a history".to_owned())
    }

    /// `narrows undo`.
    pub fn undo(&self) -> Result<String> {
        self.succeeds(&["undo", "--state-dir", &self.path("state")])
    }

    /// Reads a file as narrows sees it.
    pub fn read(&self, path: &str) -> Result<String> {
        let output = self.command("cat").arg(path).output().attempt(|| format!("read {path}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(FaultError::new(String::from_utf8_lossy(&output.stderr).into_owned())),
        }
    }

    /// A kernel parameter as narrows sees it, its blanks single.
    pub fn parameter(&self, key: &str) -> Result<String> {
        let text = match &self.network {
            Network::Named(name) => {
                let path = format!("/proc/sys/{}", key.replace('.', "/"));
                let mut command = Command::new("ip");
                let output = command.args(["netns", "exec", name, "cat", &path]).output();
                String::from_utf8_lossy(&output.attempt(|| format!("read {key}"))?.stdout).into_owned()
            }
            _ => self.read(&format!("/proc/sys/{}", key.replace('.', "/")))?,
        };
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Writes a file below the copy of `/etc`, or in a folder that [`Site::whole`] makes, with the folders it needs.
    pub fn write(&self, path: &str, contents: &str) -> Result<()> {
        self.write_all([(path.to_owned(), contents)].into_iter())
    }

    /// The same with many files.
    pub fn write_all<'a>(&self, files: impl Iterator<Item = (String, &'a str)> + Send) -> Result<()> {
        let own = ["/etc/", "/var/www/", "/srv/", "/run/"];
        self.within(|| {
            for (path, contents) in files {
                assert!(own.iter().any(|folder| path.starts_with(folder)), "{path} is the machine's own");
                let folder = Path::new(&path).parent().unwrap_or(Path::new("/etc"));
                fs::create_dir_all(folder).attempt(|| format!("make {}", folder.display()))?;
                fs::write(&path, contents).attempt(|| format!("write {path}"))?;
            }
            Ok(())
        })
    }

    /// Lays a file of the test's own over one of the kernel's, such as `/proc/meminfo`.
    pub fn pretend(&self, path: &str, contents: &str) -> Result<()> {
        let place = self.folder.path().join(path.replace('/', "-"));
        fs::write(&place, contents).attempt(|| format!("write {}", place.display()))?;
        let (from, to) = (spelled(&place.display().to_string())?, spelled(path)?);
        self.within(|| {
            mount_bind(from.as_c_str(), to.as_c_str()).attempt(|| format!("lay a file over {path}"))
        })
    }

    /// Everything below `/etc`.
    pub fn etc(&self) -> Result<Etc> {
        self.within(|| {
            let mut all = Etc::new();
            read_below(Path::new("/etc"), &mut all).attempt(|| "read the copy of /etc".to_owned())?;
            Ok(all)
        })
    }
}

fn read_below(folder: &Path, all: &mut Etc) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let about = fs::symlink_metadata(&path)?;
        let kind = about.file_type();
        let contents = match () {
            () if kind.is_symlink() => fs::read_link(&path)?.into_os_string().into_encoded_bytes(),
            () if kind.is_file() => fs::read(&path)?,
            () => vec![],
        };
        // A folder's time moves with the files that come and go in it.
        let modified = (!kind.is_dir()).then(|| (about.mtime(), about.mtime_nsec()));
        all.insert(path.clone(), (contents, about.mode(), about.uid(), about.gid(), modified));
        if kind.is_dir() {
            read_below(&path, all)?;
        }
    }
    Ok(())
}

fn spelled(path: &str) -> Result<CString> {
    CString::new(path).attempt(|| format!("spell {path}"))
}
