//! The sources import downward only. `ORDER` lists the files from top to bottom, and no file may import one above it.
//!
//! `cargo test --test layers -- --nocapture` prints the imports; `LAYERS_SRC` sets another `src` to print.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

/// From top to bottom. Every new file has a place in it. A lower file may know less.
const ORDER: &str = include_str!("layers.txt");

/// The text of each file, by its path in `src`.
type Sources = BTreeMap<String, String>;

#[test]
fn every_import_points_downward() {
    let sources = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path());
    assert_eq!(faults(&sources, ORDER), Vec::<String>::new());
}

/// The models replace the types of `crate::sync`. They would miss a type that a file takes from std.
#[test]
fn files_compiled_by_models_take_locks_and_atomics_from_crate_sync() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = read(root.join("models/src").as_path());
    let compiled: Vec<&str> = models
        .values()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            line.trim().strip_prefix("#[path = \"")?.split("../src/").nth(1)?.strip_suffix("\"]")
        })
        .collect();
    assert!(
        compiled.contains(&"event_queue.rs") && compiled.contains(&"client/shared/mod.rs"),
        "{compiled:?}"
    );
    let sources = read(root.join("src").as_path());
    let is_compiled = |path: &str| {
        compiled.iter().any(|file| path.starts_with(file.strip_suffix("mod.rs").unwrap_or(file)))
    };
    // No model covers the log level.
    let found: Vec<_> = sources
        .iter()
        .filter(|(path, _)| is_compiled(path) && *path != "logging.rs")
        .flat_map(|(path, text)| shared_by_std(text).into_iter().map(move |name| format!("{path}: {name}")))
        .collect();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(
        shared_by_std("use std::sync::{Arc, Mutex};\nuse std::sync::atomic::AtomicU8;\nstd::thread::park();"),
        ["Mutex", "atomic", "thread"]
    );
}

/// What a source shares between threads by std's own types.
fn shared_by_std(text: &str) -> Vec<String> {
    let code = without_comments_and_tests(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("std::sync::") {
        let rest = &code[at + "std::sync::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or(list),
            None => rest.split(|c| !is_word(c)).next().unwrap_or(rest),
        };
        found.extend(names.split(',').map(|name| name.trim().to_owned()));
    }
    found.retain(|name| !["", "Arc", "Weak", "PoisonError"].contains(&name.as_str()));
    found.extend(code.contains("std::thread").then(|| "thread".to_owned()));
    found
}

#[test]
fn prints_every_import() {
    let given = env::var_os("LAYERS_SRC");
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").into_os_string();
    let sources = read(Path::new(&given.unwrap_or(default)));
    let arrows = arrows(&sources);
    assert!(!arrows.is_empty());
    for (from, to) in &arrows {
        println!("{from} -> {to}");
    }
    let circle = in_circles(&arrows);
    println!(
        "{} files, {} arrows, {} files in circles: {circle:?}",
        sources.len(),
        arrows.len(),
        circle.len()
    );
}

#[test]
fn finds_an_upward_import_a_cycle_and_an_unknown_file() {
    let sources: Sources = [
        ("lib.rs", "mod top; mod folder;"),
        ("top.rs", "use crate::folder::low::{Low, self as other};\nuse super::folder::high;"),
        ("folder/mod.rs", "mod high;\nmod low;\npub use self::high::High;"),
        ("folder/high.rs", "use super::low::Low;\n// use crate::top::Top;\npub(in crate::top) struct A;"),
        (
            "folder/low.rs",
            "fn f() { crate::top::call(\"crate::none\") }\n#[cfg(test)]\nmod tests { use crate::top; }",
        ),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    let found = arrows(&sources);
    let expected = [
        ("folder/high.rs", "folder/low.rs"),
        ("folder/low.rs", "top.rs"),
        ("folder/mod.rs", "folder/high.rs"),
        ("top.rs", "folder/high.rs"),
        ("top.rs", "folder/low.rs"),
    ];
    assert!(found.iter().map(|(from, to)| (from.as_str(), to.as_str())).eq(expected), "{found:?}");
    assert!(in_circles(&found).iter().eq(["folder/high.rs", "folder/low.rs", "top.rs"]));
    let order = "# the top\nlib.rs\ntop.rs\nfolder/mod.rs\nfolder/high.rs\nfolder/low.rs\n";
    assert_eq!(faults(&sources, order), ["folder/low.rs imports top.rs, which is above it"]);
    let order = "lib.rs\nfolder/low.rs\ntop.rs\nfolder/mod.rs\ngone.rs\n";
    assert_eq!(
        faults(&sources, order),
        [
            "folder/high.rs is not in the order",
            "gone.rs is in the order and not there",
            "top.rs imports folder/low.rs, which is above it",
        ]
    );
}

/// The imports that violate an order.
fn faults(sources: &Sources, order: &str) -> Vec<String> {
    let listed = order.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let place: BTreeMap<&str, usize> = listed.zip(0..).collect();
    let unknown = sources.keys().filter(|path| !place.contains_key(path.as_str()));
    let gone = place.keys().filter(|path| !sources.contains_key(**path));
    let mut faults: Vec<String> = unknown.map(|path| format!("{path} is not in the order")).collect();
    faults.extend(gone.map(|path| format!("{path} is in the order and not there")));
    for (from, to) in arrows(sources) {
        if let (Some(above), Some(below)) = (place.get(from.as_str()), place.get(to.as_str()))
            && above > below
        {
            faults.push(format!("{from} imports {to}, which is above it"));
        }
    }
    faults
}

/// Which file imports which. `lib.rs` only declares the other files.
fn arrows(sources: &Sources) -> BTreeSet<(String, String)> {
    let modules: BTreeMap<Vec<&str>, &str> =
        sources.keys().map(|path| (module_of(path), path.as_str())).collect();
    let mut arrows = BTreeSet::new();
    for (path, text) in sources.iter().filter(|(path, _)| *path != "lib.rs") {
        let own = module_of(path);
        let text = without_comments_and_tests(text);
        for (at, _) in text.match_indices("::") {
            let start = text[..at].rfind(|c: char| !is_word(c)).map_or(0, |before| before + 1);
            let root = &text[start..at];
            // Takes only the start of a path, not a visibility.
            if text[..start].ends_with("::") || text[..start].ends_with("pub(in ") {
                continue;
            }
            let base = match root {
                "crate" => Vec::new(),
                "self" => own.clone(),
                "super" => own[..own.len().saturating_sub(1)].to_vec(),
                child => [own.as_slice(), &[child]].concat(),
            };
            if !matches!(root, "crate" | "self" | "super") && !modules.contains_key(&base) {
                continue;
            }
            let mut paths = Vec::new();
            expand(&mut text[at + 2..].chars().peekable(), base, &mut paths);
            for path in paths {
                let known = (0..=path.len()).rev().find_map(|length| {
                    let names: Vec<&str> = path[..length].iter().map(String::as_str).collect();
                    modules.get(&names)
                });
                if let Some(to) = known.filter(|to| **to != "lib.rs" && modules.get(&own) != Some(to)) {
                    arrows.insert((modules[&own].to_owned(), (*to).to_owned()));
                }
            }
        }
    }
    arrows
}

/// The paths of a use tree, whose root is `base` and of which `rest` is what follows.
fn expand(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    base: Vec<impl AsRef<str>>,
    paths: &mut Vec<Vec<String>>,
) {
    let mut path: Vec<String> = base.iter().map(|name| name.as_ref().to_owned()).collect();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.next_if_eq(&'{').is_some() {
            loop {
                expand(rest, path.clone(), paths);
                // What is behind a name: `as other`.
                while rest.next_if(|c| !matches!(c, ',' | '}')).is_some() {}
                while rest.next_if(|c| *c == ',' || c.is_whitespace()).is_some() {}
                if rest.next_if_eq(&'}').is_some() || rest.peek().is_none() {
                    return;
                }
            }
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| is_word(*c)) {
            name.push(c);
        }
        match name.as_str() {
            "super" => drop(path.pop()),
            "" | "self" => {}
            _ => path.push(name),
        }
        if rest.next_if_eq(&':').is_none() || rest.next_if_eq(&':').is_none() {
            break;
        }
    }
    paths.push(path);
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `a/b.rs` and `a/b/mod.rs` are the module `a::b`.
fn module_of(path: &str) -> Vec<&str> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" { Vec::new() } else { stem.split('/').collect() }
}

fn without_comments_and_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().map(|line| line.split("//").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The files that import themselves through others.
fn in_circles(arrows: &BTreeSet<(String, String)>) -> BTreeSet<String> {
    let mut circle = BTreeSet::new();
    for start in arrows.iter().map(|(from, _)| from) {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(at) = next.pop() {
            for (_, to) in arrows.iter().filter(|(from, _)| from == at) {
                if to == start {
                    circle.insert(start.clone());
                }
                if seen.insert(to) {
                    next.push(to);
                }
            }
        }
    }
    circle
}

fn read(src: &Path) -> Sources {
    fn walk(src: &Path, folder: &Path, sources: &mut Sources) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(src, &path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let name = path.strip_prefix(src).expect("inside").to_str().expect("UTF-8").to_owned();
                sources.insert(name, fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    let mut sources = Sources::new();
    walk(src, src, &mut sources);
    sources
}
