//! Every limit on what this room takes. Texts and JSON are counted in bytes of UTF-8.

use ledgerline_model::limits;

/// The largest event, as it is sent and as it is stored.
pub const EVENT_BYTES_MAX: usize = limits::EVENT_BYTES_MAX;
/// The longest action.
pub const ACTION_BYTES_MAX: usize = 128;
/// The longest id or type of anything.
pub const ID_BYTES_MAX: usize = limits::ID_BYTES_MAX;
/// The longest name of an actor, a resource or a target, and the longest location.
pub const NAME_BYTES_MAX: usize = 255;
/// The longest message, and the longest note of an amendment.
pub const MESSAGE_BYTES_MAX: usize = 8 << 10;
/// The longest user agent.
pub const USER_AGENT_BYTES_MAX: usize = 1 << 10;
/// The largest metadata of an event, an actor, a target or an amendment.
pub const METADATA_BYTES_MAX: usize = 50 << 10;
/// The most keys of one metadata, nested ones counted.
pub const METADATA_KEYS_MAX: usize = 200;
/// The deepest nesting of metadata.
pub const METADATA_DEPTH_MAX: usize = 16;
/// The largest state before or after, each.
pub const STATE_BYTES_MAX: usize = 256 << 10;
/// The most keys of a state, nested ones counted: both states of an event together stay below what
/// one event may have.
pub const STATE_KEYS_MAX: usize = 4_000;
/// The deepest nesting of a state.
pub const STATE_DEPTH_MAX: usize = 32;
/// The most targets of an event.
pub const TARGETS_MAX: usize = 50;
/// The most changes that are computed between two states.
pub const CHANGES_MAX: usize = 1_000;
/// The most bytes that the changes between two states take.
pub const CHANGES_BYTES_MAX: usize = 128 << 10;
/// The most characters of the reason for an erasure, a retirement or a hold.
pub const REASON_CHARACTERS_MAX: usize = 1_000;
