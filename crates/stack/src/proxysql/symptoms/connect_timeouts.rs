//! Clients that ProxySQL gives no connection.

use model::{Layered, Missing};

use crate::proxysql::view::View;
use crate::{Evidence, Presence, Symptom, services};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "proxysql.connect-timeouts",
    title: "Statements fail in ProxySQL with error 9001",
    document: include_str!("connect_timeouts.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let proxies = &services::facts(&evidence.services.proxysql)?.proxies;
    let (mut lines, mut seen, mut missing) = (vec![], vec![], None);
    for proxy in proxies.iter().filter(|proxy| proxy.pid.is_some() || proxy.file.is_none()) {
        let asked = match &proxy.asked {
            Layered::Facts(asked) => asked,
            Layered::Unread(unread) => {
                missing = Some(Missing::new(unread.why.clone(), unread.how_to_enable.clone()));
                continue;
            }
        };
        let view = View { evidence, proxy, asked };
        match view.grown("max_connect_timeouts") {
            Ok(grown) if grown > 0.0 => {
                lines.push(format!("{}: {grown} clients gave up with error 9001", view.name()));
                seen.push(view.seen("stats_mysql_global", "max_connect_timeouts, grown by", grown));
            }
            Ok(_) => {}
            Err(lacking) => missing = Some(lacking),
        }
    }
    match (lines.is_empty(), missing) {
        (true, Some(missing)) => Err(missing),
        (true, None) => Ok(Presence::new(false, "no client gave up")),
        (false, _) => {
            let presence = Presence::new(true, lines.join("; "));
            Ok(seen.into_iter().fold(presence, Presence::seen))
        }
    }
}
