//! How many places a look-up looks at: counted in tests, so that one which grows with the table is noticed,
//! and nothing at all elsewhere.

#[cfg(test)]
thread_local! {
    static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes that a set's tags or an entry's digest were looked at.
#[inline]
pub(super) fn look() {
    #[cfg(test)]
    LOOKS.set(LOOKS.get() + 1);
}

/// How often this thread looked so far.
#[cfg(test)]
pub(crate) fn looks() -> u64 {
    LOOKS.get()
}
