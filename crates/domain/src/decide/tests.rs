//! Tables of commands and what they decide.
