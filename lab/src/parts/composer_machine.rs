//! A machine that serves the application of [`super::composer_app`].

use std::path::Path;

use super::composer_app::{Autoload, ComposerApp, Size};
use crate::faults::Result;
use crate::machine::{Machine, Setup, pool};
use crate::services;

/// Where the application lies.
pub const APPLICATION: &str = "/srv/shop";

/// One whose PHP-FPM has so many workers and these settings.
pub fn open(size: Size, autoload: Autoload, workers: u32, ini: &str) -> Result<Machine> {
    // Composer runs where everything is at hand, and knows no absolute path.
    let folder = services::folder()?;
    ComposerApp::write(folder.path(), size)?.autoload(autoload)?;
    let machine = Machine::boot()?;
    let (from, to) = (folder.path().join("."), Path::new(APPLICATION).join("."));
    machine.run(&["mkdir", "-p", APPLICATION])?;
    machine.run(&["cp", "-a", &from.display().to_string(), &to.display().to_string()])?;
    // OPcache keeps no file that is younger than two seconds (`opcache.file_update_protection`).
    machine.run(&["find", APPLICATION, "-type", "f", "-exec", "touch", "-d", "1 hour ago", "{}", "+"])?;
    let setup = Setup {
        pool: pool(&format!("pm = static\npm.max_children = {workers}\n")),
        server: server(),
        ini: ini.to_owned(),
        pages: vec![],
    };
    setup.lay_out(&machine)?;
    machine.start()?;
    Ok(machine)
}

/// The text of its nginx server.
fn server() -> String {
    crate::machine::server("").replace(crate::machine::ROOT, &format!("{APPLICATION}/public"))
}
