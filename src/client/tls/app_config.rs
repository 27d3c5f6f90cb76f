//! The `trust-current-user-ca` of an app's `network_config.json`.
//!
//! The platform has no public function for it. The platform reads the file `resources/base/profile/network_config.json`
//! of the app's entry module from the app's package, and so does this module.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::app_package;
use super::error::Shown;
use crate::platform;
use crate::shortage::is_shortage;

/// The folder of the app's own packages, one for each module.
const PACKAGES: &str = "/data/storage/el1/bundle";
const PROFILE: &str = "resources/base/profile/network_config.json";
/// The member of the object. It is true if it is missing.
const MEMBER: &str = "trust-current-user-ca";

/// Whether the app trusts the authorities that the user has installed, if its options do not decide. An error if the
/// system has no descriptor or memory for the check. The error is not cached.
pub(super) fn trusts_user_authorities() -> io::Result<bool> {
    static TRUSTS: OnceLock<bool> = OnceLock::new();
    if let Some(trusts) = TRUSTS.get() {
        return Ok(*trusts);
    }
    let trusts = match platform::device_path(PACKAGES) {
        None => true,
        Some(packages) => match of_packages(&packages) {
            Ok(trusts) => trusts,
            Err(cause) if is_shortage(&cause) => return Err(cause),
            Err(cause) => {
                crate::logging::warn(format_args!(
                    "network_config.json cannot be read ({}: {cause}); authorities that users installed are not trusted, \
                     unless trustUserAuthorities says so",
                    Shown(&packages)
                ));
                false
            }
        },
    };
    Ok(*TRUSTS.get_or_init(|| trusts))
}

/// The combined setting of the packages in a folder. A process without packages does not belong to an app.
fn of_packages(folder: &Path) -> io::Result<bool> {
    let packages = match fs::read_dir(folder) {
        Ok(entries) => {
            let paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
            paths.into_iter().filter(|path| is_package(path)).collect()
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
        // The app may be unable to list the folder. Its own code is mapped from the packages.
        Err(cause) => match mapped_packages(&fs::read_to_string("/proc/self/maps")?, folder) {
            none if none.is_empty() => return Err(cause),
            packages => packages,
        },
    };
    if packages.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no package"));
    }
    for package in packages {
        if let Some(config) = app_package::read_file(&package, PROFILE)?
            && member_is_true(&config, MEMBER) == Some(false)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_package(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "hap")
}

/// The packages of a folder that are mapped into a process (`proc(5)`, maps).
fn mapped_packages(maps: &str, folder: &Path) -> Vec<PathBuf> {
    let path = |line: &str| line.find('/').map(|at| PathBuf::from(&line[at..]));
    let mut packages: Vec<_> = maps.lines().filter_map(path).collect();
    packages.retain(|path| is_package(path) && path.parent() == Some(folder));
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Whether a member of a JSON object is `true`. `None` if the member does not exist. As on the platform, the case of
/// its name does not matter, and any other value is false. The rest of the file may be malformed.
fn member_is_true(json: &[u8], name: &str) -> Option<bool> {
    let mut depth = 0_usize;
    let mut rest = json;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let length = string_bytes(behind)?;
                let (text, behind) = (&behind[..length], &behind[length + 1..]);
                rest = behind;
                if depth == 1
                    && text.eq_ignore_ascii_case(name.as_bytes())
                    && let Some(value) = behind.trim_ascii_start().strip_prefix(b":")
                {
                    return Some(value.trim_ascii_start().starts_with(b"true"));
                }
            }
            _ => {}
        }
    }
    None
}

/// The length of a string after its first quotation mark; `None` if it does not end.
fn string_bytes(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_mapped_app_packages() {
        let maps = "\
5a49593000-5a49600000 r--p 00000000 fd:00 12 /data/storage/el1/bundle/feature.hap
5b4d432000-5b4dc7e000 r--p 00000000 fd:00 11                   /data/storage/el1/bundle/entry.hap
5b4d432000-5b4dc7e000 r-xp 00010000 fd:00 11                   /data/storage/el1/bundle/entry.hap
5c4d432000-5c4dc7e000 r--p 00000000 fd:00 13 /data/storage/el1/bundle/libs/arm64/libentry.so
5d4d432000-5d4dc7e000 r--p 00000000 fd:00 14 /data/storage/el2/base/files/other.hap
7fff000000-7fff021000 rw-p 00000000 00:00 0                    [stack]
";
        let found = mapped_packages(maps, Path::new(PACKAGES));
        let expected = ["/data/storage/el1/bundle/entry.hap", "/data/storage/el1/bundle/feature.hap"];
        assert_eq!(found, expected.map(PathBuf::from));
        assert!(mapped_packages("", Path::new(PACKAGES)).is_empty());
    }

    #[test]
    fn reads_a_member_of_the_outermost_json_object() {
        for (json, said) in [
            (r#"{"trust-current-user-ca": false}"#, Some(false)),
            (r#"{"trust-current-user-ca" : true }"#, Some(true)),
            (
                r#"{ "network-security-config": {"a": [1, "}"]}, "Trust-Current-User-CA":false, }"#,
                Some(false),
            ),
            (r#"{"a": "trust-current-user-ca", "b\"": 1, "trust-current-user-ca":false}"#, Some(false)),
            (r#"{"trust-current-user-ca": "true"}"#, Some(false)),
            (r#"{"trust-current-user-ca": 1}"#, Some(false)),
            (r#"{"trust-current-user-ca": true, "trust-current-user-ca": false}"#, Some(true)),
            (r#"{"inner": {"trust-current-user-ca": false}}"#, None),
            (r#"["trust-current-user-ca", false]"#, None),
            (r#"{"trust-global-user-ca": false}"#, None),
            (r#"{"trust-current-user-ca"#, None),
            ("", None),
        ] {
            assert_eq!(member_is_true(json.as_bytes(), MEMBER), said, "{json}");
        }
    }
}
