//! What an S3 holds, as boto3 reads it.

use serde_json::Value;

use crate::stand_in::run_stand_in;
use crate::user::User;

/// Every object of a bucket: `key`, `kinds` (type and encoding), `text` and `lock` (mode and until when).
///
/// # Panics
/// When they cannot be read.
pub(crate) async fn objects(url: &str, bucket: &str, reader: &User) -> Vec<Value> {
    let arguments = ["objects", url, bucket, &reader.access_key, &reader.secret_key];
    let said = run_stand_in("aws.py", &arguments, String::new()).await;
    serde_json::from_str(&said).expect("it says a list")
}
