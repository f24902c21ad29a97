//! The lock around the view, and in debug builds the proof that no thread waits for itself.
//!
//! A thread that reads the view and asks to read it once more waits, where a writer has come in between, for
//! that writer, who waits for the first reading to end: the whole node stands still for good. The same holds
//! for a thread that reads the view and then waits for a lock under which others read it. So a function that
//! has the view hands it on as `&View`. Debug builds keep for each thread what it holds and panic at the
//! second asking, whether or not a writer is there, so that every test shows it; release builds keep nothing.

use hub_core::view::View;
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The view with the lock around it.
#[derive(Debug)]
pub(super) struct Guarded(RwLock<View>);

impl Guarded {
    pub(super) fn new(view: View) -> Self {
        Self(RwLock::new(view))
    }

    pub(super) fn read(&self) -> ViewGuard<'_> {
        let mark = Mark::set(self);
        ViewGuard { view: self.0.read().unwrap_or_else(PoisonError::into_inner), _mark: mark }
    }

    pub(super) fn write(&self) -> ViewGuardMut<'_> {
        let mark = Mark::set(self);
        ViewGuardMut { view: self.0.write().unwrap_or_else(PoisonError::into_inner), _mark: mark }
    }

    /// Said before a lock is taken under which others take this one.
    pub(super) fn comes_later(&self) {
        Mark::check(self);
    }
}

/// The view, to read. Whoever has it asks its replica for nothing that looks at the view again.
#[derive(Debug)]
pub struct ViewGuard<'a> {
    view: RwLockReadGuard<'a, View>,
    _mark: Mark,
}

impl Deref for ViewGuard<'_> {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

/// The view, to fold further.
#[derive(Debug)]
pub(super) struct ViewGuardMut<'a> {
    view: RwLockWriteGuard<'a, View>,
    _mark: Mark,
}

impl Deref for ViewGuardMut<'_> {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl DerefMut for ViewGuardMut<'_> {
    fn deref_mut(&mut self) -> &mut View {
        &mut self.view
    }
}

#[cfg(debug_assertions)]
use marked::Mark;

/// That this thread holds a view, by where it stands in memory: it stays there while it is held.
#[cfg(debug_assertions)]
mod marked {
    use super::Guarded;
    use std::cell::RefCell;

    thread_local! {
        static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    #[derive(Debug)]
    pub(super) struct Mark(usize);

    impl Mark {
        pub(super) fn set(view: &Guarded) -> Self {
            Self::check(view);
            let place = std::ptr::from_ref(view).addr();
            HELD.with_borrow_mut(|held| held.push(place));
            Self(place)
        }

        pub(super) fn check(view: &Guarded) {
            let place = std::ptr::from_ref(view).addr();
            let again = HELD.with_borrow(|held| held.contains(&place));
            debug_assert!(
                !again,
                "this thread holds the view already: with a writer waiting it would wait for itself; hand on &View"
            );
        }
    }

    impl Drop for Mark {
        fn drop(&mut self) {
            // a thread that ends has nothing to keep any more
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                if let Some(at) = held.iter().rposition(|place| *place == self.0) {
                    held.swap_remove(at);
                }
            });
        }
    }
}

#[cfg(not(debug_assertions))]
#[derive(Debug)]
struct Mark;

#[cfg(not(debug_assertions))]
impl Mark {
    fn set(_: &Guarded) -> Self {
        Self
    }

    fn check(_: &Guarded) {}
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use hub_core::id::FederationId;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn guarded() -> Guarded {
        Guarded::new(View::new(FederationId::NIL, [0; 32]))
    }

    fn refused<T>(what: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(|| drop(what()))).is_err()
    }

    #[test]
    fn a_thread_that_holds_the_view_does_not_ask_for_it_again() {
        let view = guarded();
        {
            let _reading = view.read();
            assert!(refused(|| view.read()) && refused(|| view.write()));
            assert!(refused(|| view.comes_later()));
        }
        {
            let _writing = view.write();
            assert!(refused(|| view.read()));
        }
        drop(view.read());
        view.comes_later();
    }

    #[test]
    fn another_view_and_another_thread_are_no_second_time() {
        let (one, other) = (guarded(), guarded());
        let _reading = one.read();
        drop(other.write());
        std::thread::scope(|scope| {
            scope.spawn(|| drop(one.read()));
        });
    }
}
