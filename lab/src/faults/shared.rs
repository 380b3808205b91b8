use std::ops::Deref;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::{Attempt, FaultError, Result};

/// Marks types that hold nothing but atomics, so that several processes may use one copy.
///
/// # Safety
/// Every bit pattern of zeros must be a valid value, and the type must hold no pointers and need no drop.
pub(crate) unsafe trait Atomics: Sync {}

/// Memory that the test and its forked children see alike, zero at first.
pub(crate) struct Shared<T: Atomics> {
    memory: NonNull<T>,
}

// SAFETY: the mapping is not tied to a thread, and `T` is used by reference only and is `Sync`.
unsafe impl<T: Atomics> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Atomics> Sync for Shared<T> {}

impl<T: Atomics> Shared<T> {
    pub(crate) fn new() -> Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh anonymous mapping overlaps nothing.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), size_of::<T>(), protection, MapFlags::SHARED) }
            .attempt(|| "map memory to share with children".to_owned())?;
        let memory = NonNull::new(start.cast::<T>())
            .ok_or_else(|| FaultError::new("shared memory was mapped at address zero"))?;
        Ok(Self { memory })
    }
}

impl<T: Atomics> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mapping is page aligned, zeroed (valid by the contract of `Atomics`), and lives as long as `self`.
        unsafe { self.memory.as_ref() }
    }
}

impl<T: Atomics> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and every reference into it borrowed `self`.
        let unmapped = unsafe { munmap(self.memory.as_ptr().cast(), size_of::<T>()) };
        debug_assert!(unmapped.is_ok(), "shared memory was unmapped twice");
    }
}
