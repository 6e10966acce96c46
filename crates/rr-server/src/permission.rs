//! Permissions by name, for the command line and an import.

use rr_http::Permission;

/// The permission of this name, or a line that lists those there are.
pub(crate) fn parse(name: &str) -> Result<Permission, String> {
    Permission::ALL.into_iter().find(|permission| permission.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Permission::ALL.iter().map(|known| known.name()).collect();
        format!("\"{name}\" is not a permission; there are {}", names.join(", "))
    })
}
