//! Each label once: a million users share a handful of roles, statuses and tiers.

use std::collections::BTreeMap;

use rr_domain::Label;

/// Stands for a label within one [`Labels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelId(usize);

/// The labels seen so far.
#[derive(Debug, Default)]
pub(super) struct Labels {
    ids: BTreeMap<Label, LabelId>,
    names: Vec<Label>,
}

impl Labels {
    /// The id of `label`, new or known.
    pub(super) fn id(&mut self, label: &Label) -> LabelId {
        if let Some(&id) = self.ids.get(label) {
            return id;
        }
        let id = LabelId(self.names.len());
        self.ids.insert(label.clone(), id);
        self.names.push(label.clone());
        id
    }

    /// The label an id of this list stands for.
    pub(super) fn name(&self, id: LabelId) -> &Label {
        &self.names[id.0]
    }
}
