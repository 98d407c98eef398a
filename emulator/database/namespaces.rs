//! What is done to whole namespaces: forks, snapshots, going back to one, dropping. None of it copies a document: a fork lies
//! over what it was made of, and a snapshot is a fork that nobody writes to, under a name that no namespace has.

use crate::draft::Draft;
use crate::store::Catalogue;
use crate::{DatabaseError, Store};

/// Stands between the name of a namespace and that of a snapshot of it.
const SEPARATOR: char = '\0';

impl Store {
    /// Makes the namespace `to`, which begins as `from` is now: collections, indexes and documents. From then on they have
    /// nothing to do with each other. Takes as long for a million documents as for one.
    /// [`DatabaseError::BadNamespace`] if `to` is there already. What `from` has not, `to` has not either.
    pub async fn fork(&self, from: &str, to: &str) -> Result<(), DatabaseError> {
        check(from)?;
        check(to)?;
        let (source, name) = (from.to_owned(), to.to_owned());
        let work = move |draft: &mut Draft<'_>| {
            if draft.catalogue().namespace(&name).is_some() {
                return Err(bad(format!("namespace `{name}` exists already: drop it, or fork to another one")));
            }
            draft.fork(&source, &name)
        };
        self.shared.writer.run(to.into(), work).await
    }

    /// Drops a namespace with its snapshots, but not its forks, which lose nothing. A namespace that is not there is no error.
    /// Its watches end with [`DatabaseError::CollectionMissing`], its transactions with
    /// [`DatabaseError::TransactionNotExist`].
    pub async fn drop_namespace(&self, name: &str) -> Result<(), DatabaseError> {
        check(name)?;
        let namespace = name.to_owned();
        let work = move |draft: &mut Draft<'_>| {
            for snapshot in snapshots(draft.catalogue(), &namespace) {
                draft.drop_namespace(&hidden(&namespace, &snapshot));
            }
            draft.drop_namespace(&namespace);
            Ok(())
        };
        let _turn = self.shared.indexing.lock().await;
        self.shared.writer.run_whole(name.into(), work).await
    }

    /// Remembers a namespace as it is now. A snapshot of that name is forgotten for it.
    pub async fn snapshot(&self, namespace: &str, name: &str) -> Result<(), DatabaseError> {
        check(namespace)?;
        check(name)?;
        let (source, snapshot) = (namespace.to_owned(), hidden(namespace, name));
        let work = move |draft: &mut Draft<'_>| {
            draft.drop_namespace(&snapshot);
            draft.fork(&source, &snapshot)
        };
        self.shared.writer.run(namespace.into(), work).await
    }

    /// Makes a namespace as it was when it was remembered, all at once. Watches are told the difference; those of a collection
    /// that was not there end with [`DatabaseError::CollectionMissing`]. Its transactions end with
    /// [`DatabaseError::TransactionNotExist`]. [`DatabaseError::BadNamespace`] if there is no such snapshot.
    pub async fn restore(&self, namespace: &str, name: &str) -> Result<(), DatabaseError> {
        let (restored, name) = (namespace.to_owned(), name.to_owned());
        let work = move |draft: &mut Draft<'_>| {
            let snapshot = find(draft.catalogue(), &restored, &name)?;
            draft.drop_namespace(&restored);
            draft.fork(&snapshot, &restored)
        };
        let _turn = self.shared.indexing.lock().await;
        self.shared.writer.run_whole(namespace.into(), work).await
    }

    /// Forgets a snapshot. [`DatabaseError::BadNamespace`] if there is none of that name.
    pub async fn drop_snapshot(&self, namespace: &str, name: &str) -> Result<(), DatabaseError> {
        let (source, name) = (namespace.to_owned(), name.to_owned());
        let work = move |draft: &mut Draft<'_>| {
            let snapshot = find(draft.catalogue(), &source, &name)?;
            draft.drop_namespace(&snapshot);
            Ok(())
        };
        self.shared.writer.run(namespace.into(), work).await
    }

    /// The names of the snapshots of a namespace, sorted.
    pub fn snapshots(&self, namespace: &str) -> Vec<String> {
        snapshots(&self.shared.published.catalogue(), namespace)
    }
}

/// Refuses a name that could be taken for that of a snapshot.
pub(crate) fn check(name: &str) -> Result<(), DatabaseError> {
    if is_plain(name) { Ok(()) } else { Err(bad(format!("{name:?} cannot be a name: it contains a NUL character"))) }
}

/// Whether the name is that of a namespace, not of a snapshot.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.contains(SEPARATOR)
}

/// The namespace that a name in the catalogue is of.
pub(crate) fn plain(name: &str) -> &str {
    name.split_once(SEPARATOR).map_or(name, |(namespace, _)| namespace)
}

/// What a snapshot is called in the catalogue.
pub(crate) fn hidden(namespace: &str, snapshot: &str) -> String {
    format!("{namespace}{SEPARATOR}{snapshot}")
}

fn find(catalogue: &Catalogue, namespace: &str, snapshot: &str) -> Result<String, DatabaseError> {
    let name = hidden(namespace, snapshot);
    match catalogue.namespace(&name) {
        Some(_) => Ok(name),
        None => Err(bad(format!("namespace `{namespace}` has no snapshot `{snapshot}`"))),
    }
}

fn snapshots(catalogue: &Catalogue, namespace: &str) -> Vec<String> {
    let prefix = hidden(namespace, "");
    catalogue.namespaces_after(&prefix).map_while(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect()
}

fn bad(message: String) -> DatabaseError {
    DatabaseError::BadNamespace(message)
}
