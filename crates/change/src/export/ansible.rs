//! A plan as an Ansible playbook.

use database::Address;
use model::Edit;

use super::{files, headline};
use crate::kinds::SqlVariable;
use crate::plan::{Activation, ActivationKind, FileDifference, Plan, PlannedChange};
use crate::{Action, Operation, Target};

/// A playbook of one play. Besides `ansible.builtin` it uses `ansible.posix.sysctl`, `community.general.ini_file`,
/// `community.general.modprobe` and `community.mysql.mysql_variables`. A new file is copied as a whole; a file for whose edits there is no module is patched
/// by a shell task, and a value without a module is written by one. Services are restarted with `-e restart=true` only.
pub fn ansible(plan: &Plan) -> String {
    let host = plan.host.name.as_deref().unwrap_or("all");
    let mut text = format!(
        "# narrows plan {}\n---\n- name: {}\n  hosts: {}\n  become: true\n  tasks:\n",
        crate::shell::comment(&plan.hash),
        string("Move the limit that narrows found"),
        string(host)
    );
    let mut handlers: Vec<&Activation> = Vec::new();
    let mut edited: Vec<&str> = Vec::new();
    for change in &plan.changes {
        let mut tasks = values(plan, change);
        tasks.extend(edits(plan, change, &mut edited));
        add(&mut text, change, &tasks);
        handlers
            .extend(change.reloads.iter().filter(|reload| !handlers.contains(reload)).collect::<Vec<_>>());
    }
    if text.ends_with("  tasks:\n") {
        text.push_str("    []\n");
    }
    if !handlers.is_empty() {
        text.push_str("  handlers:\n");
        handlers.iter().for_each(|reload| text.push_str(&handler(reload)));
    }
    text
}

fn add(text: &mut String, change: &PlannedChange, tasks: &[String]) {
    for task in tasks {
        text.push_str(&format!("    - name: {}\n{task}", string(&headline(change))));
        let names: Vec<_> = change.reloads.iter().map(|reload| string(&handler_name(reload))).collect();
        if !names.is_empty() {
            text.push_str(&format!("      notify: [{}]\n", names.join(", ")));
        }
    }
}

/// The tasks that write to the running kernel.
fn values(plan: &Plan, change: &PlannedChange) -> Vec<String> {
    let no_files =
        || change.operations.iter().filter(|operation| !matches!(operation.target, Target::File(_)));
    match no_files().map(|operation| value(plan, operation)).collect::<Option<Vec<_>>>() {
        Some(tasks) => tasks.into_iter().flatten().collect(),
        None => vec![shell_task(&change.shell)],
    }
}

/// The task of a module for one value, or none where the task for its file sets it too; `None` where no module does it.
fn value(plan: &Plan, operation: &Operation) -> Option<Option<String>> {
    match &operation.target {
        Target::Module(module) => {
            let fields = [("name", string(&module.name)), ("state", state(true))];
            Some(Some(task("community.general.modprobe", &fields)))
        }
        Target::SqlVariable(variable) => Some(Some(sql_variable(variable, &operation.action)?)),
        Target::Sysctl(sysctl) if sysctl.namespace.is_none() => {
            let all = plan.changes.iter().flat_map(|change| &change.operations);
            let sets = |edit: &Edit| matches!(edit, Edit::Sysctl { key, value: Some(_), line: None } if *key == sysctl.key);
            let is_set = all
                .filter_map(edits_of)
                .any(|(path, edits)| is_modular(plan, path) && edits.iter().any(sets));
            is_set.then_some(None)
        }
        _ => None,
    }
}

/// A global variable at run time. The module finds the password in `~/.my.cnf`, as narrows does.
fn sql_variable(variable: &SqlVariable, action: &Action) -> Option<String> {
    let Action::Set { value } = action else { return None };
    let mut fields =
        vec![("variable", string(&variable.name)), ("value", string(value)), ("mode", "global".to_owned())];
    match Address::parse(&variable.server) {
        Address::Socket(path) => fields.push(("login_unix_socket", string(&path))),
        Address::Tcp(host, port) => {
            fields.extend([("login_host", string(&host)), ("login_port", port.to_string())]);
        }
    }
    fields.extend(variable.access.user.as_ref().map(|user| ("login_user", string(user))));
    fields.extend(variable.access.defaults_file.as_ref().map(|file| ("config_file", string(file))));
    Some(task("community.mysql.mysql_variables", &fields))
}

fn edits_of(operation: &Operation) -> Option<(&str, &[Edit])> {
    match (&operation.target, &operation.action) {
        (Target::File(file), Action::Edit { edits }) => Some((&file.path, edits)),
        _ => None,
    }
}

/// Whether modules make every edit of a file. Only that for kernel parameters makes a file with its directory too.
fn is_modular(plan: &Plan, path: &str) -> bool {
    let is_new = plan.files.iter().any(|file| file.path == path && file.before_sha256.is_none());
    let all = plan.changes.iter().flat_map(|change| &change.operations).filter_map(edits_of);
    let mut edits = all.filter(|(of, _)| *of == path).flat_map(|(_, edits)| edits);
    edits.all(|edit| module(path, edit).is_some() && (!is_new || matches!(edit, Edit::Sysctl { .. })))
}

/// The tasks for the files that a change edits, and its links. A file that no module edits is written once, for all
/// changes together.
fn edits<'a>(plan: &'a Plan, change: &'a PlannedChange, edited: &mut Vec<&'a str>) -> Vec<String> {
    let mut tasks = Vec::new();
    for operation in &change.operations {
        let Target::File(file) = &operation.target else { continue };
        match &operation.action {
            Action::Edit { edits } if is_modular(plan, &file.path) => {
                tasks.extend(edits.iter().filter_map(|edit| module(&file.path, edit)));
            }
            Action::Edit { .. } if !edited.contains(&file.path.as_str()) => {
                edited.push(&file.path);
                let found = plan.files.iter().find(|found| found.path == file.path);
                tasks.extend(found.map(whole_file).unwrap_or_default());
            }
            Action::Link { to } if !edited.contains(&file.path.as_str()) => {
                edited.push(&file.path);
                let link = [("src", string(to)), ("dest", string(&file.path)), ("state", "link".to_owned())];
                tasks.push(directory(&file.path));
                tasks.push(task("ansible.builtin.file", &link));
            }
            _ => {}
        }
    }
    tasks
}

/// The task of a module for one edit; `None` where no module makes exactly this one.
fn module(path: &str, edit: &Edit) -> Option<String> {
    match edit {
        Edit::Sysctl { key, value, line: None } => Some(sysctl_task(path, key, value.as_deref())),
        Edit::Line { line, present } => {
            let fields = [("path", string(path)), ("line", string(line)), ("state", state(*present))];
            Some(task("ansible.builtin.lineinfile", &fields))
        }
        Edit::Ini { section, key, value } => Some(ini_task(path, section.as_deref(), key, value.as_deref())),
        Edit::Systemd { section, key, value } => Some(ini_task(path, Some(section), key, value.as_deref())),
        _ => None,
    }
}

fn sysctl_task(path: &str, key: &str, value: Option<&str>) -> String {
    let mut fields = vec![("name", string(key)), ("sysctl_file", string(path))];
    if let Some(value) = value {
        fields.push(("value", string(value)));
        fields.push(("sysctl_set", "true".to_owned()));
    }
    fields.push(("reload", "false".to_owned()));
    fields.push(("state", state(value.is_some())));
    task("ansible.posix.sysctl", &fields)
}

fn ini_task(path: &str, section: Option<&str>, key: &str, value: Option<&str>) -> String {
    let mut fields = vec![("path", string(path)), ("option", string(key))];
    fields.extend(section.map(|section| ("section", string(section))));
    fields.extend(value.map(|value| ("value", string(value))));
    fields.push(("state", state(value.is_some())));
    task("community.general.ini_file", &fields)
}

/// A file as a whole: copied where it is new, patched where it is there.
fn whole_file(file: &FileDifference) -> Vec<String> {
    if let Some(contents) = files::new_contents(file) {
        let fields = [
            ("dest", string(&file.path)),
            ("content", block(&contents)),
            ("owner", string("root")),
            ("group", string("root")),
            ("mode", string("0644")),
        ];
        return vec![directory(&file.path), task("ansible.builtin.copy", &fields)];
    }
    if !files::is_patched(file) {
        let words = format!("{} holds a secret beside what is edited: edit it by hand", file.path);
        return vec![task("ansible.builtin.debug", &[("msg", string(&words))])];
    }
    let mut lines = vec!["set -eu".to_owned()];
    if let Some(after) = &file.after_sha256 {
        let name = crate::shell::quoted(&file.path);
        lines.push(format!(
            "printf '%s  %s\\n' {after} {name} | sha256sum --check --status && {{ echo unchanged; exit 0; }}"
        ));
    }
    lines.extend(files::UNCHANGED.lines().map(str::to_owned));
    lines.extend(files::guard(file));
    lines.extend(files::lines(file));
    let fields = [("cmd", block(&(lines.join("\n") + "\n")))];
    let text = task("ansible.builtin.shell", &fields);
    vec![format!(
        "{text}      register: patched\n      changed_when: \"'unchanged' not in patched.stdout\"\n"
    )]
}

fn directory(path: &str) -> String {
    let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
    let fields = [("path", string(parent)), ("state", "directory".to_owned())];
    task("ansible.builtin.file", &fields)
}

fn shell_task(lines: &[String]) -> String {
    task("ansible.builtin.shell", &[("cmd", block(&(lines.join("\n") + "\n")))])
}

fn task(module: &str, fields: &[(&str, String)]) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("        {name}: {value}\n")).collect();
    format!("      {module}:\n{fields}")
}

fn state(present: bool) -> String {
    if present { "present" } else { "absent" }.to_owned()
}

fn handler_name(activation: &Activation) -> String {
    let how = match activation.how {
        ActivationKind::Reload => "Reload",
        ActivationKind::Restart => "Restart",
        ActivationKind::DaemonReload => "Have systemd reread its files for",
        ActivationKind::Timer => "Start",
    };
    format!("{how} {}", activation.unit)
}

fn handler(activation: &Activation) -> String {
    let fields = match activation.how {
        ActivationKind::Reload => vec![("name", string(&activation.unit)), ("state", "reloaded".to_owned())],
        ActivationKind::Restart | ActivationKind::Timer => {
            vec![("name", string(&activation.unit)), ("state", "restarted".to_owned())]
        }
        ActivationKind::DaemonReload => vec![("daemon_reload", "true".to_owned())],
    };
    let name = string(&handler_name(activation));
    let when = match activation.how {
        ActivationKind::Restart => "      when: restart | default(false) | bool\n",
        _ => "",
    };
    format!("    - name: {name}\n{}{when}", task("ansible.builtin.systemd_service", &fields))
}

/// A string of YAML: JSON's are among them (YAML 1.2, 1.3). Templates of Jinja are kept from being read as such.
fn string(text: &str) -> String {
    format!("{}{}", unsafe_tag(text), serde_json::Value::from(text))
}

/// Text of several lines as a literal block (YAML 1.2, 8.1.2), which keeps it readable; as a string where it holds
/// something that a block cannot.
fn block(text: &str) -> String {
    let plain = |letter: char| letter == '\n' || letter == '\t' || !letter.is_control();
    let single_end = text.ends_with('\n') && !text.ends_with("\n\n");
    if !single_end || text.starts_with([' ', '\t', '\n']) || !text.chars().all(plain) {
        return string(text);
    }
    let lines =
        text.lines().map(|line| if line.is_empty() { String::new() } else { format!("          {line}") });
    format!("{}|\n{}", unsafe_tag(text), lines.collect::<Vec<_>>().join("\n"))
}

fn unsafe_tag(text: &str) -> &'static str {
    if ["{{", "{%", "{#"].iter().any(|template| text.contains(template)) { "!unsafe " } else { "" }
}
