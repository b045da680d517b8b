//! The crate as its users see it: the vectors of the reference, properties, secrets.

mod properties;
mod secrets;
mod tree_cases;
mod vectors;

use serde::de::DeserializeOwned;

/// Reads one of the reference's files of vectors.
fn read_vectors<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!("{}/../../fixtures/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the vectors are in the repository");
    serde_json::from_str(&text).expect("the vectors have the documented form")
}
