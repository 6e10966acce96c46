//! Which deployment an incident came from, and which one another takes back.

use rr_domain::Trigger;

use super::{HOUR, Harm, Ship};
use crate::dora::Evidence;

fn means(ship: &Ship, name: &str) -> bool {
    ship.last.id.as_deref() == Some(name) || ship.events.iter().any(|e| e.to_string() == name)
}

/// The last good deployment among those that `is_it`.
fn latest(ships: &[Ship], is_it: impl Fn(&Ship) -> bool) -> Option<&Ship> {
    let mut best: Option<&Ship> = None;
    for ship in ships.iter().filter(|ship| ship.good && is_it(ship)) {
        if best.is_none_or(|best| (ship.done, ship.seq) > (best.done, best.seq)) {
            best = Some(ship);
        }
    }
    best
}

pub(super) fn undoes<'a>(ship: &Ship, ships: &'a [Ship]) -> Option<&'a Ship> {
    if !ship.good || ship.last.trigger != Trigger::Rollback {
        return None;
    }
    latest(ships, |other| {
        let named = ship.last.rolls_back.as_ref().is_none_or(|name| means(other, name));
        named && other.place == ship.place && (other.done, other.seq) < (ship.done, ship.seq)
    })
}

pub(super) fn cause<'a>(harm: &Harm, ships: &'a [Ship]) -> Option<(&'a Ship, Evidence)> {
    let said = &harm.last;
    let before = |ship: &Ship| ship.done <= harm.from;
    let service =
        |ship: &Ship| said.service.is_none() || said.service.as_ref() == Some(&ship.place.0);
    let here = |ship: &Ship| service(ship) && ship.place.1 == harm.environment;
    if let Some(name) = &said.caused_by {
        let own = latest(ships, |ship| means(ship, name) && here(ship))
            .or_else(|| latest(ships, |ship| means(ship, name) && service(ship)));
        if let Some(ship) = own.or_else(|| latest(ships, |ship| means(ship, name))) {
            return Some((ship, Evidence::Id));
        }
    }
    if said.chain.is_some()
        && let Some(ship) = latest(ships, |ship| ship.last.chain == said.chain && before(ship))
    {
        return Some((ship, Evidence::Chain));
    }
    if said.artifact.is_some()
        && let Some(ship) =
            latest(ships, |ship| ship.last.artifact == said.artifact && here(ship) && before(ship))
    {
        return Some((ship, Evidence::Artifact));
    }
    said.service.as_ref()?;
    let until = harm.to.unwrap_or(harm.from.plus(24 * HOUR));
    let undone = |ship: &Ship| {
        ships.iter().any(|other| {
            other.done >= harm.from
                && other.done <= until
                && undoes(other, ships).is_some_and(|target| target.seq == ship.seq)
        })
    };
    if let Some(ship) = latest(ships, |ship| here(ship) && before(ship) && undone(ship)) {
        return Some((ship, Evidence::Rollback));
    }
    let day = |ship: &Ship| ship.done.plus(24 * HOUR) >= harm.from;
    latest(ships, |ship| here(ship) && before(ship) && day(ship)).map(|ship| (ship, Evidence::Time))
}
