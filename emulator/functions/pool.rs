//! The pool: which worker serves which call. Calls of a function wait in order for one of its places; a place has at most
//! one worker at a time, warm ones are kept, and a spare is booted ahead for whoever needs it first.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::folder::{self, FunctionFolder};
use crate::process::{After, WorkerFactory, WorkerProcess, remove_leftovers, time_zone};
use crate::starter::Starter;
use crate::{Completion, FunctionsError, FunctionsOptions, Invocation, InvocationError, Output};

/// A warm worker that nobody called for this long is ended.
const WARM_TIME: Duration = Duration::from_secs(5 * 60);
/// How many workers may stand still, of all functions in all environments.
const WARM_MAX: usize = 32;
/// How often to look for such workers.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// What [`crate::Functions`] is a handle of.
pub(crate) struct Pool {
    options: Arc<FunctionsOptions>,
    /// Absolute; `None` when there are no functions.
    root: Option<PathBuf>,
    output: Arc<dyn Output>,
    state: Mutex<State>,
    /// Turns true once and for all when the emulator ends.
    closing: watch::Sender<bool>,
    /// Counts the workers that live, booting ones included.
    living: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    /// Made by the first call or spare.
    factory: Option<Arc<WorkerFactory>>,
    places: HashMap<Site, Places>,
    spare: Option<JoinHandle<Option<Worker>>>,
    is_sweeping: bool,
}

/// A function of an environment. Calls in different environments never meet each other's module state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Site {
    environment: String,
    function: String,
}

/// The places of one function.
struct Places {
    permits: Arc<Semaphore>,
    /// Workers that stand still, the last used one last.
    warm: Vec<(Worker, Instant)>,
    /// How many workers have answered their call and do not stand still yet.
    settling: usize,
    /// Told whenever one of them has settled, well or badly.
    settled: Arc<Notify>,
}

impl State {
    /// Of the warm workers, the one that has stood still for the longest time, if there are more than `most`.
    fn take_oldest_beyond(&mut self, most: usize) -> Option<Worker> {
        let count: usize = self.places.values().map(|places| places.warm.len()).sum();
        let since = |places: &Places| places.warm.first().map(|(_, since)| *since);
        let oldest =
            self.places.values_mut().filter(|places| !places.warm.is_empty()).min_by_key(|places| since(places));
        oldest.filter(|_| count > most).map(|places| places.warm.remove(0).0)
    }
}

/// A worker that is counted while it lives.
struct Worker {
    process: WorkerProcess,
    _counted: Counted,
}

struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(living: &watch::Sender<usize>) -> Counted {
        living.send_modify(|living| *living += 1);
        Counted(living.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|living| *living -= 1);
    }
}

impl Pool {
    pub(crate) fn open(options: FunctionsOptions, output: Arc<dyn Output>) -> Result<Arc<Pool>, FunctionsError> {
        let failed = |error| FunctionsError::Temporary(options.temporary.clone(), error);
        std::fs::create_dir_all(&options.temporary).map_err(failed)?;
        let root = match &options.root {
            None => None,
            Some(root) => Some(std::path::absolute(root).map_err(|error| FunctionsError::Root(root.clone(), error))?),
        };
        Ok(Arc::new(Pool {
            options: Arc::new(options),
            root,
            output,
            state: Mutex::default(),
            closing: watch::Sender::new(false),
            living: watch::Sender::new(0),
        }))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.root.as_deref().map(folder::names).unwrap_or_default()
    }

    pub(crate) async fn invoke(self: &Arc<Pool>, call: Invocation) -> Result<Completion, InvocationError> {
        let mut closing = self.closing.subscribe();
        let function = self.find(&call.function)?;
        let site = Site { environment: call.environment.clone(), function: call.function.clone() };
        let permits = self.permits(&site);
        let permit = tokio::select! {
            permit = permits.acquire_owned() => permit.map_err(|_| InvocationError::Closed)?,
            _ = closing.wait_for(|closing| *closing) => return Err(InvocationError::Closed),
        };
        let mut worker = tokio::select! {
            worker = self.worker_for(&function, &site, &call) => worker?,
            _ = closing.wait_for(|closing| *closing) => return Err(InvocationError::Closed),
        };
        let (result, after) = worker.process.invoke(&function, &call, &mut closing).await;
        if let After::Reusable = after {
            self.count_settling(&site, 1);
            tokio::spawn(self.clone().keep_warm(site, worker, permit));
        }
        result
    }

    fn find(&self, name: &str) -> Result<FunctionFolder, InvocationError> {
        if *self.closing.borrow() {
            return Err(InvocationError::Closed);
        }
        self.root.as_deref().and_then(|root| folder::find(root, name)).ok_or(InvocationError::NotFound)
    }

    fn permits(&self, site: &Site) -> Arc<Semaphore> {
        let mut state = self.lock();
        let places = state.places.entry(site.clone());
        let workers = self.options.workers_per_function.max(1);
        let new = || Places {
            permits: Arc::new(Semaphore::new(workers)),
            warm: Vec::new(),
            settling: 0,
            settled: Arc::default(),
        };
        places.or_insert_with(new).permits.clone()
    }

    /// A warm worker of the function, else the spare, else a new one.
    async fn worker_for(
        self: &Arc<Pool>,
        function: &FunctionFolder,
        site: &Site,
        call: &Invocation,
    ) -> Result<Worker, InvocationError> {
        let zone = time_zone(call);
        while let Some(mut worker) = self.take_warm(site).await {
            if worker.process.is_fit(function, zone) {
                return Ok(worker);
            }
            tokio::spawn(end(worker));
        }
        let mut worker = match self.take_spare(zone).await {
            Some(worker) => worker,
            None => self.start(zone, false).await?,
        };
        self.boot_spare();
        worker.process.assign(function);
        Ok(worker)
    }

    /// A warm worker, waiting for one that is about to be: so that one call after the other meets the same module state.
    async fn take_warm(&self, site: &Site) -> Option<Worker> {
        loop {
            let settled = {
                let mut state = self.lock();
                let places = state.places.get_mut(site)?;
                if let Some((worker, _)) = places.warm.pop() {
                    return Some(worker);
                }
                if places.settling == 0 {
                    return None;
                }
                // Registered before the lock is let go, so that no news is missed.
                places.settled.clone().notified_owned()
            };
            settled.await;
        }
    }

    fn count_settling(&self, site: &Site, change: isize) {
        if let Some(places) = self.lock().places.get_mut(site) {
            places.settling = places.settling.saturating_add_signed(change);
            if change < 0 {
                places.settled.notify_waiters();
            }
        }
    }

    async fn take_spare(&self, zone: &str) -> Option<Worker> {
        let spare = if zone == "UTC" { self.lock().spare.take()? } else { return None };
        spare.await.ok().flatten()
    }

    async fn start(&self, zone: &str, preload: bool) -> Result<Worker, InvocationError> {
        let counted = Counted::new(&self.living);
        let factory = self.factory()?;
        let process = factory.start(zone, preload).await?;
        Ok(Worker { process, _counted: counted })
    }

    fn factory(&self) -> Result<Arc<WorkerFactory>, InvocationError> {
        let mut state = self.lock();
        if let Some(factory) = &state.factory {
            return Ok(factory.clone());
        }
        let failed = |error: std::io::Error| InvocationError::Worker(error.to_string());
        let root = self.root.as_deref().ok_or(InvocationError::NotFound)?;
        remove_leftovers(&self.options.temporary);
        let factory = Arc::new(WorkerFactory {
            options: self.options.clone(),
            root: std::fs::canonicalize(root).map_err(failed)?,
            output: self.output.clone(),
            starter: Starter::new().map_err(failed)?,
            preparing: Arc::default(),
            booting: Semaphore::new(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)),
        });
        state.factory = Some(factory.clone());
        Ok(factory)
    }

    pub(crate) fn boot_spare(self: &Arc<Pool>) {
        let mut state = self.lock();
        if !self.options.spare_worker || state.spare.is_some() || *self.closing.borrow() || self.root.is_none() {
            return;
        }
        let pool = self.clone();
        state.spare = Some(tokio::spawn(async move {
            let mut closing = pool.closing.subscribe();
            tokio::select! {
                spare = pool.start("UTC", true) => spare.inspect_err(|error| tracing::warn!("no spare worker: {error}")).ok(),
                _ = closing.wait_for(|closing| *closing) => None,
            }
        }));
    }

    /// Puts a worker back once it stands still; its place is free again only then.
    async fn keep_warm(self: Arc<Pool>, site: Site, mut worker: Worker, permit: OwnedSemaphorePermit) {
        let unwanted =
            if worker.process.until_idle().await { self.put_back(&site, worker, &permit) } else { Some(worker) };
        self.count_settling(&site, -1);
        if let Some(worker) = unwanted {
            end(worker).await;
        }
        drop(permit);
        self.start_sweeping();
    }

    /// Gives back a worker that nobody wants any more: this one, or the one that has been warm for the longest time.
    fn put_back(&self, site: &Site, worker: Worker, permit: &OwnedSemaphorePermit) -> Option<Worker> {
        let mut state = self.lock();
        match state.places.get_mut(site) {
            // The places may be those of another environment of that name by now.
            Some(places) if !*self.closing.borrow() && Arc::ptr_eq(&places.permits, permit.semaphore()) => {
                places.warm.push((worker, Instant::now()));
            }
            _ => return Some(worker),
        }
        state.take_oldest_beyond(WARM_MAX)
    }

    /// Ends the workers that stand still in an environment, and forgets its functions: it is gone.
    pub(crate) async fn end_environment(&self, environment: &str) {
        let gone: Vec<Places> = {
            let mut state = self.lock();
            let of_it = state.places.extract_if(|site, _| site.environment == environment);
            of_it.map(|(_, places)| places).collect()
        };
        for (worker, _) in gone.into_iter().flat_map(|places| places.warm) {
            end(worker).await;
        }
    }

    fn start_sweeping(self: &Arc<Pool>) {
        if !std::mem::replace(&mut self.lock().is_sweeping, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// The workers that have been warm for too long.
    fn take_cold(&self) -> Vec<Worker> {
        let mut state = self.lock();
        let warm = state
            .places
            .values_mut()
            .flat_map(|places| places.warm.extract_if(.., |(_, since)| since.elapsed() > WARM_TIME));
        warm.map(|(worker, _)| worker).collect()
    }

    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let (warm, spare) = {
            let mut state = self.lock();
            let warm: Vec<Worker> =
                state.places.values_mut().flat_map(|places| places.warm.drain(..)).map(|(worker, _)| worker).collect();
            (warm, state.spare.take())
        };
        for worker in warm {
            end(worker).await;
        }
        if let Some(Ok(Some(worker))) = match spare {
            Some(spare) => Some(spare.await),
            None => None,
        } {
            end(worker).await;
        }
        self.until_prepared().await;
        // What serves a call at this moment ends with that call, which is told to end.
        let _ = self.living.subscribe().wait_for(|living| *living == 0).await;
    }

    /// Waits until nobody writes into the temporary folder any more.
    async fn until_prepared(&self) {
        let Some(preparing) = self.lock().factory.as_ref().map(|factory| factory.preparing.clone()) else { return };
        let wait = move || drop(preparing.write().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = tokio::task::spawn_blocking(wait).await {
            tracing::warn!("the folders of workers may not be whole: {error}");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn end(mut worker: Worker) {
    worker.process.kill().await;
}

async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEEP_PERIOD).await;
        let Some(cold) = pool.upgrade().map(|pool| pool.take_cold()) else { return };
        for worker in cold {
            end(worker).await;
        }
    }
}
