//! The doors, one a file: who speaks, how they prove it, which envelope. Each opens, calls `environment` and seals.

pub(crate) mod action;
pub(crate) mod admin;
pub(crate) mod auth;
pub(crate) mod emulator;
pub(crate) mod home;
pub(crate) mod objects;
pub(crate) mod realtime;
pub(crate) mod rest;
pub(crate) mod web;
