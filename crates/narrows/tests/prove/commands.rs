//! Commands with and without a change.

use lab::site::Site;

use super::world::{COUNT, KEY, World};
use crate::faults::{Attempt, FaultError, Result};
use crate::schema::Schemas;

/// Of experiments on a busy machine one in twenty is misled by noise, as it says itself: not three in a row.
fn in_three_attempts(experiment: impl Fn() -> Result<bool>) -> Result<()> {
    for _ in 0..3 {
        if experiment()? {
            return Ok(());
        }
    }
    Err(FaultError::new("none of three experiments came out as it should"))
}

#[test]
fn a_change_that_helps_is_kept_and_can_be_undone() -> Result<()> {
    in_three_attempts(|| {
        let world = World::with("4000")?;
        world.plan(KEY, "400")?;
        let (code, proof) = world.prove(&["--run", COUNT, "--metric", "cpu"])?;
        if proof["verdict"] != "kept" {
            assert_eq!((code, world.now()?.as_str()), (Some(1), "4000"), "{proof:#}");
            return Ok(false);
        }
        assert_eq!((code, &proof["kept"], world.now()?.as_str()), (Some(0), &true.into(), "400"));
        assert!(proof["primary"]["effect"].as_f64() < Some(-0.2), "{proof:#}");
        assert_eq!(proof["blocks"].as_array().unwrap().len(), 12);
        assert_eq!(world.statuses()?, ["undone", "undone", "applied"]);
        assert!(world.site.undo()?.contains("is undone"));
        assert_eq!(world.now()?, "4000");
        Ok(true)
    })
}

#[test]
fn a_change_that_helps_is_taken_back_where_that_was_asked_for() -> Result<()> {
    in_three_attempts(|| {
        let world = World::with("4000")?;
        world.plan(KEY, "400")?;
        let (code, proof) = world.prove(&["--run", COUNT, "--metric", "cpu", "--revert", "--pairs", "3"])?;
        assert_eq!((&proof["kept"], world.now()?.as_str()), (&false.into(), "4000"));
        assert!(world.statuses()?.iter().all(|status| status == "undone"));
        Ok(proof["verdict"] == "kept" && code == Some(0))
    })
}

#[test]
fn a_change_that_makes_things_worse_is_reverted() -> Result<()> {
    in_three_attempts(|| {
        let world = World::with("400")?;
        world.plan(KEY, "8000")?;
        let (code, proof) = world.prove(&["--run", COUNT, "--metric", "cpu"])?;
        assert_eq!((code, &proof["kept"], world.now()?.as_str()), (Some(1), &false.into(), "400"));
        assert_eq!(world.statuses()?, ["undone", "undone"]);
        Ok(proof["verdict"] == "reverted" && proof["worse"][0] == "cpu")
    })
}

#[test]
fn a_change_that_makes_a_command_fail_is_reverted_for_its_guard() -> Result<()> {
    let world = World::with("4000")?;
    world.plan(KEY, "400")?;
    let line = format!(
        "{COUNT}; [ $(cat /proc/sys/net/core/somaxconn) -gt 1000 ] || {{ echo too few >&2; exit 7; }}"
    );
    let (code, proof) = world.prove(&["--run", &line, "--metric", "cpu"])?;
    assert_eq!((code, &proof["verdict"]), (Some(1), &"reverted".into()), "{proof:#}");
    assert!(proof["worse"].as_array().unwrap().contains(&"failed".into()), "{proof:#}");
    assert!(proof["notes"].to_string().contains("a run failed: exit status: 7: too few"), "{proof:#}");
    assert_eq!(world.now()?, "4000");
    Ok(())
}

#[test]
fn a_change_without_effect_is_not_kept() -> Result<()> {
    in_three_attempts(|| {
        let world = World::with("400")?;
        let key = "net.ipv4.tcp_fin_timeout";
        let before = world.site.parameter(key)?;
        world.plan(key, "30")?;
        let (code, proof) = world.prove(&["--run", COUNT, "--metric", "failed"])?;
        assert_eq!((code, &proof["kept"]), (Some(1), &false.into()), "{proof:#}");
        assert_eq!(world.site.parameter(key)?, before);
        Ok(proof["verdict"] == "no-measurable-effect")
    })
}

#[test]
fn a_plan_that_holds_already_and_names_that_are_none_are_refused() -> Result<()> {
    let world = World::with("400")?;
    world.plan(KEY, "400")?;
    let (code, said) = world.prove(&["--run", "true"])?;
    assert!(code == Some(4) && said.to_string().contains("holds already"), "{said}");
    world.plan(KEY, "401")?;
    let (code, said) = world.prove(&["--run", "true", "--metric", "nonsense"])?;
    assert!(code == Some(2) && said.to_string().contains("TcpExt.ListenOverflows/s"), "{said}");
    let (code, said) = world.prove(&["--run", "true", "--pairs", "2"])?;
    assert!(code == Some(2) && said.to_string().contains("3"), "{said}");
    Ok(())
}

#[test]
fn a_command_alone_is_measured_and_a_failing_one_says_why() -> Result<()> {
    let site = Site::machine()?;
    let measured = |line: &str, format: &str| {
        site.narrows(&["prove", "--run", line, "--for", "200ms", "--warm-up", "100ms", "--format", format])
    };
    let output = measured("true", "json")?;
    let json = serde_json::from_slice(&output.stdout).attempt(|| "understand a proof".to_owned())?;
    Schemas::new().hold("proof-1.json", &json);
    assert_eq!((output.status.code(), &json["failed"]), (Some(0), &0.into()));
    assert!(json["runs"].as_u64() >= Some(3) && json["peak_bytes"].as_u64() > Some(100_000), "{json:#}");
    let output = measured("echo no such shop >&2; exit 3", "human")?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(3) && text.contains("exit status: 3: no such shop"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    Ok(())
}
