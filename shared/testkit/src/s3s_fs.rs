//! Another S3, in Rust: it checks signatures and checksums, keeps objects as files, and honours conditional writes.

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use s3s::HttpError;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use serde_json::Value;
use tempfile::TempDir;

use crate::http_server::HttpServer;
use crate::s3_reader;
use crate::user::User;

/// s3s-fs with the bucket `logs`, in this process.
#[derive(Debug)]
pub struct S3sFs {
    /// The one user that it knows: may do everything.
    pub user: User,
    server: HttpServer,
    _folder: TempDir,
}

impl S3sFs {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start() -> Self {
        let user = User { access_key: "AKIAS3SFS".to_owned(), secret_key: "secret-of-s3s-fs".to_owned() };
        let folder = tempfile::tempdir().expect("make a folder");
        std::fs::create_dir(folder.path().join("logs")).expect("make a bucket");
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("open the folder"));
        service.set_auth(SimpleAuth::from_single(user.access_key.clone(), user.secret_key.clone()));
        let failed = async |_: HttpError| StatusCode::INTERNAL_SERVER_ERROR;
        let app = Router::new().fallback_service(HandleError::new(service.build(), failed));
        Self { user, server: HttpServer::start(app).await, _folder: folder }
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// Every object of a bucket, as [`crate::Moto::objects`] gives them.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn objects(&self, bucket: &str) -> Vec<Value> {
        s3_reader::objects(&self.url(), bucket, &self.user).await
    }
}
