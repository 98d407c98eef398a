//! Loading: what `require` and `import` mean in a worker, after Node's rules.
//! Resolution itself is `node_resolver`'s; this file says which folders count, what a file is, and wraps CommonJS for ES modules.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use deno_ast::{MediaType, ParseParams, ParsedSource};
use deno_core::{
    FastString, ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleResolveResponse,
    ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType, RequestedModuleType, ResolutionKind,
};
use deno_error::JsErrorBox;
use deno_resolver::cjs::{CjsTracker, IsCjsResolutionMode};
use deno_resolver::npm::{ByonmInNpmPackageChecker, ByonmNpmResolver, ByonmNpmResolverCreateOptions};
use deno_runtime::deno_node::{NodeExtInitServices, NodeRequireLoader, default_resolve_require_node_module_paths};
use deno_runtime::deno_permissions::PermissionsContainer;
use node_resolver::analyze::{
    CjsAnalysis, CjsAnalysisExports, CjsAnalysisSourceProvider, CjsCodeAnalyzer, CjsModuleExportAnalyzer,
    EsmAnalysisMode, NodeCodeTranslator, NodeCodeTranslatorMode,
};
use node_resolver::cache::NodeResolutionSys;
use node_resolver::errors::{
    PackageFolderResolveError, PackageFolderResolveErrorKind, PackageJsonLoadError, PackageNotFoundError,
};
use node_resolver::{
    DenoIsBuiltInNodeModuleChecker, NodeConditionOptions, NodeResolution, NodeResolutionKind, NodeResolver,
    NodeResolverOptions, NpmPackageFolderResolver, PackageJsonResolver, PackageJsonThreadLocalCache, ResolutionMode,
    UrlOrPathRef,
};
use sys_traits::impls::RealSys;
use url::Url;

/// The one package that a function may rely on without installing it.
const PACKED_PACKAGE: &str = "wx-server-sdk";

/// What Node calls itself in `exports` and `imports` of a package.json. Without `module-sync`, as the cloud's older Node
/// versions: a package then gives CommonJS to `require`.
const IMPORT_CONDITIONS: &[&str] = &["node", "import"];
const REQUIRE_CONDITIONS: &[&str] = &["node", "require"];

/// Marks the URL of a module that holds another one whole: `require` of an ES module goes through it (`js/30_node.js`).
const BRIDGE_QUERY: &str = "function-bridge";

type Resolver = NodeResolver<ByonmInNpmPackageChecker, DenoIsBuiltInNodeModuleChecker, PackageFolders, RealSys>;
type Translator = NodeCodeTranslator<
    ExportAnalyzer,
    ByonmInNpmPackageChecker,
    DenoIsBuiltInNodeModuleChecker,
    PackageFolders,
    RealSys,
>;
type Kinds = CjsTracker<ByonmInNpmPackageChecker, RealSys>;

/// The types of the node services of a worker, for `MainWorker`.
pub(crate) type NodeServices = NodeExtInitServices<ByonmInNpmPackageChecker, PackageFolders, RealSys>;

/// Files of the project that were loaded and not yet reported. Shared by the loaders and the op that reports.
pub(crate) type LoadedFiles = Rc<RefCell<Vec<PathBuf>>>;

/// Everything about loading that a worker needs.
pub(crate) struct Loading {
    pub(crate) modules: Rc<dyn ModuleLoader>,
    pub(crate) node: NodeServices,
    pub(crate) loaded: LoadedFiles,
}

/// Makes the loaders for the functions below `root`; `packed` is the folder whose `node_modules` holds the packed packages.
pub(crate) fn loading(root: &Path, packed: &Path) -> Loading {
    let loaded = LoadedFiles::default();
    let packages = Arc::new(PackageJsonResolver::new(RealSys, Some(Arc::new(PackageJsonThreadLocalCache))));
    let folders = package_folders(root, packed, &packages);
    let resolver = Arc::new(resolver(&folders, &packages));
    let kinds = Arc::new(Kinds::new(
        ByonmInNpmPackageChecker,
        packages.clone(),
        IsCjsResolutionMode::ImplicitTypeCommonJs,
        Vec::new(),
    ));
    let require_loader = RequireLoader {
        kinds: kinds.clone(),
        root: root.to_path_buf(),
        packed: packed.join("node_modules"),
        loaded: loaded.clone(),
    };
    let translator = translator(&folders, &resolver, &packages, &kinds);
    let modules =
        Modules { resolver: resolver.clone(), kinds, translator: Rc::new(translator), loaded: loaded.clone() };
    let node = NodeServices {
        node_require_loader: Rc::new(require_loader),
        node_resolver: resolver,
        pkg_json_resolver: packages,
        sys: RealSys,
    };
    Loading { modules: Rc::new(modules), node, loaded }
}

fn package_folders(root: &Path, packed: &Path, packages: &Arc<PackageJsonResolver<RealSys>>) -> PackageFolders {
    let installed = ByonmNpmResolver::new(ByonmNpmResolverCreateOptions {
        root_node_modules_dir: None,
        search_stop_dir: None,
        sys: NodeResolutionSys::new(RealSys, None),
        pkg_json_resolver: packages.clone(),
    });
    PackageFolders { installed, root: root.to_path_buf(), packed: packed.join("node_modules").join(PACKED_PACKAGE) }
}

fn resolver(folders: &PackageFolders, packages: &Arc<PackageJsonResolver<RealSys>>) -> Resolver {
    let names = |conditions: &[&'static str]| Some(conditions.iter().copied().map(Cow::Borrowed).collect());
    let conditions = NodeConditionOptions {
        conditions: Vec::new(),
        import_conditions_override: names(IMPORT_CONDITIONS),
        require_conditions_override: names(REQUIRE_CONDITIONS),
    };
    NodeResolver::new(
        ByonmInNpmPackageChecker,
        DenoIsBuiltInNodeModuleChecker,
        folders.clone(),
        packages.clone(),
        NodeResolutionSys::new(RealSys, None),
        NodeResolverOptions { conditions, ..NodeResolverOptions::default() },
    )
}

fn translator(
    folders: &PackageFolders,
    resolver: &Arc<Resolver>,
    packages: &Arc<PackageJsonResolver<RealSys>>,
    kinds: &Arc<Kinds>,
) -> Translator {
    let exports = CjsModuleExportAnalyzer::new(
        ExportAnalyzer { kinds: kinds.clone() },
        ByonmInNpmPackageChecker,
        resolver.clone(),
        folders.clone(),
        packages.clone(),
        RealSys,
    );
    NodeCodeTranslator::new(Arc::new(exports), NodeCodeTranslatorMode::ModuleLoader)
}

/// Finds the folder of a package: the nearest `node_modules` of the function that has it, else, for the SDK, the packed one.
#[derive(Debug, Clone)]
pub(crate) struct PackageFolders {
    installed: ByonmNpmResolver<RealSys>,
    root: PathBuf,
    packed: PathBuf,
}

impl NpmPackageFolderResolver for PackageFolders {
    fn resolve_package_folder_from_package(
        &self,
        name: &str,
        referrer: &UrlOrPathRef<'_>,
    ) -> Result<PathBuf, PackageFolderResolveError> {
        let found = self.installed.resolve_package_folder_from_package(name, referrer).and_then(|folder| {
            let from = referrer.path().unwrap_or(&folder);
            if is_seen(&self.root, from, &folder) { Ok(folder) } else { Err(package_not_found(name, referrer)) }
        });
        match found {
            Err(_) if name == PACKED_PACKAGE => Ok(self.packed.clone()),
            found => found,
        }
    }

    fn resolve_types_package_folder(
        &self,
        _name: &str,
        _version: Option<&deno_semver::Version>,
        _referrer: Option<&UrlOrPathRef<'_>>,
    ) -> Option<PathBuf> {
        None
    }
}

/// Whether a file of a function sees what is installed in `folder`: it does in its own folder and below. The cloud knows
/// nothing of the folders above a function (semantics FN-32).
fn is_seen(root: &Path, from: &Path, folder: &Path) -> bool {
    !from.starts_with(root) || folder.strip_prefix(root).is_ok_and(|inside| inside.components().count() > 1)
}

fn package_not_found(name: &str, referrer: &UrlOrPathRef<'_>) -> PackageFolderResolveError {
    let error =
        PackageNotFoundError { package_name: name.to_owned(), referrer: referrer.display(), referrer_extra: None };
    PackageFolderResolveErrorKind::PackageNotFound(error).into_box()
}

/// What `require` asks of the outside.
struct RequireLoader {
    kinds: Arc<Kinds>,
    root: PathBuf,
    packed: PathBuf,
    loaded: LoadedFiles,
}

impl NodeRequireLoader for RequireLoader {
    fn ensure_read_permission<'a>(
        &self,
        permissions: &mut PermissionsContainer,
        path: Cow<'a, Path>,
    ) -> Result<Cow<'a, Path>, JsErrorBox> {
        if is_in_node_modules(&path) {
            return Ok(path);
        }
        let checked =
            permissions.check_open(path, deno_runtime::deno_permissions::OpenAccessKind::Read, Some("require()"));
        checked.map(|path| path.into_path()).map_err(JsErrorBox::from_err)
    }

    fn load_text_file_lossy(&self, path: &Path) -> Result<FastString, JsErrorBox> {
        let source = read_source(path).map_err(JsErrorBox::from_err)?;
        note_loaded(&self.loaded, path);
        let is_code = path.extension().is_none_or(|extension| extension != "json");
        Ok(FastString::from(if is_code { hide_engine(source) } else { source }))
    }

    fn is_maybe_cjs(&self, specifier: &Url) -> Result<bool, PackageJsonLoadError> {
        self.kinds.is_maybe_cjs(specifier, MediaType::from_specifier(specifier))
    }

    fn is_maybe_cjs_from_require(&self, specifier: &Url) -> Result<bool, PackageJsonLoadError> {
        self.kinds.is_maybe_cjs_from_require(specifier, MediaType::from_specifier(specifier))
    }

    /// As Node, within the function's own folder, and last the packed packages. Only the SDK lies at their top: its own dependencies stay its own.
    fn resolve_require_node_module_paths(&self, from: &Path) -> Vec<String> {
        let mut folders = default_resolve_require_node_module_paths(from);
        folders.retain(|folder| is_seen(&self.root, from, Path::new(folder)));
        folders.push(self.packed.to_string_lossy().into_owned());
        folders
    }
}

/// The ES module loader.
struct Modules {
    resolver: Arc<Resolver>,
    kinds: Arc<Kinds>,
    translator: Rc<Translator>,
    loaded: LoadedFiles,
}

impl ModuleLoader for Modules {
    fn resolve(&self, specifier: &str, referrer: &str, _kind: ResolutionKind) -> ModuleResolveResponse {
        let Some(referrer) = Url::parse(referrer).ok().filter(|url| url.scheme() == "file") else {
            return deno_core::resolve_import(specifier, referrer).map_err(JsErrorBox::from_err);
        };
        match self.resolver.resolve(specifier, &referrer, ResolutionMode::Import, NodeResolutionKind::Execution) {
            Ok(NodeResolution::BuiltIn(name)) => node_url(&name),
            Ok(NodeResolution::Module(found)) => found.into_url().map_err(JsErrorBox::from_err),
            Err(error) => Err(missing_module(specifier, &referrer).unwrap_or_else(|| JsErrorBox::from_err(error))),
        }
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        _referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        let specifier = specifier.clone();
        let (kinds, translator, loaded) = (self.kinds.clone(), self.translator.clone(), self.loaded.clone());
        let load =
            async move { load_module(&specifier, &options.requested_module_type, &kinds, &translator, &loaded).await };
        if options.is_synchronous {
            return ModuleLoadResponse::Sync(poll_once(load));
        }
        ModuleLoadResponse::Async(Box::pin(load))
    }
}

/// Nothing in [`load_module`] waits for anything, so it is ready at once.
fn poll_once<T>(load: impl Future<Output = Result<T, JsErrorBox>>) -> Result<T, JsErrorBox> {
    let mut load = std::pin::pin!(load);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match load.as_mut().poll(&mut context) {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => Err(JsErrorBox::generic("a module cannot be loaded synchronously")),
    }
}

async fn load_module(
    specifier: &Url,
    requested: &RequestedModuleType,
    kinds: &Kinds,
    translator: &Translator,
    loaded: &LoadedFiles,
) -> Result<ModuleSource, JsErrorBox> {
    if specifier.query() == Some(BRIDGE_QUERY) {
        return Ok(bridge(specifier));
    }
    let path =
        specifier.to_file_path().map_err(|()| JsErrorBox::generic(format!("Cannot load module '{specifier}'")))?;
    note_loaded(loaded, &path);
    let media_type = MediaType::from_specifier(specifier);
    if matches!(requested, RequestedModuleType::Bytes) || media_type == MediaType::Wasm {
        let bytes = std::fs::read(&path).map_err(JsErrorBox::from_err)?;
        let kind = if media_type == MediaType::Wasm { ModuleType::Wasm } else { ModuleType::Bytes };
        return Ok(ModuleSource::new(kind, ModuleSourceCode::Bytes(bytes.into_boxed_slice().into()), specifier, None));
    }
    let source = read_source(&path).map_err(|error| not_found(&path, error))?;
    let (kind, code) = match (media_type, requested) {
        (_, RequestedModuleType::Text) => (ModuleType::Text, source),
        (MediaType::Json, _) => (ModuleType::Json, source),
        _ if path.extension().is_some_and(|extension| extension == "node") => return Err(native_addon(&path)),
        _ => (ModuleType::JavaScript, load_script(specifier, media_type, source, kinds, translator).await?),
    };
    Ok(ModuleSource::new(kind, ModuleSourceCode::String(code.into()), specifier, None))
}

fn bridge(specifier: &Url) -> ModuleSource {
    let mut whole = specifier.clone();
    whole.set_query(None);
    // A URL holds no quote and no line feed.
    let code = format!("import * as whole from \"{whole}\"; export {{ whole }};");
    ModuleSource::new(ModuleType::JavaScript, ModuleSourceCode::String(code.into()), specifier, None)
}

/// An ES module as it is; CommonJS as an ES module that requires it.
async fn load_script(
    specifier: &Url,
    media_type: MediaType,
    source: String,
    kinds: &Kinds,
    translator: &Translator,
) -> Result<String, JsErrorBox> {
    if !kinds.is_maybe_cjs(specifier, media_type).map_err(JsErrorBox::from_err)? {
        return Ok(hide_engine(source));
    }
    let code = translator
        .translate_cjs_to_esm_with_source_provider(specifier, Some(Cow::Owned(source)), Some(&SourceFiles))
        .await
        .map_err(JsErrorBox::from_err)?;
    Ok(hide_engine(code.into_owned()))
}

/// Hands the analyzer the sources of files that a CommonJS module re-exports.
struct SourceFiles;

impl CjsAnalysisSourceProvider for SourceFiles {
    fn load_source<'a>(&'a self, specifier: &Url) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(read_source(&specifier.to_file_path().ok()?).ok()?))
    }
}

/// Finds the names that a CommonJS module exports by looking at its text, as Node does.
struct ExportAnalyzer {
    kinds: Arc<Kinds>,
}

#[async_trait::async_trait(?Send)]
impl CjsCodeAnalyzer for ExportAnalyzer {
    async fn analyze_cjs<'a>(
        &self,
        specifier: &Url,
        source: Option<Cow<'a, str>>,
        _mode: EsmAnalysisMode,
    ) -> Result<CjsAnalysis<'a>, JsErrorBox> {
        let source = source.unwrap_or_default();
        let media_type = MediaType::from_specifier(specifier);
        if media_type == MediaType::Json {
            return Ok(CjsAnalysis::Cjs(no_exports()));
        }
        let parsed = parse(specifier, media_type, &source)?;
        let is_cjs = self.kinds.is_cjs_with_known_is_script(specifier, media_type, parsed.compute_is_script());
        if !is_cjs.map_err(JsErrorBox::from_err)? {
            return Ok(CjsAnalysis::Esm(source, None));
        }
        let found = parsed.analyze_cjs();
        Ok(CjsAnalysis::Cjs(CjsAnalysisExports {
            exports: found.exports,
            reexports: found.reexports,
            member_reexports: Vec::new(),
        }))
    }

    async fn analyze_cjs_member_props<'a>(
        &self,
        _specifier: &Url,
        _source: Option<Cow<'a, str>>,
        _member: &str,
    ) -> Result<Option<Vec<String>>, JsErrorBox> {
        Ok(None)
    }
}

fn no_exports() -> CjsAnalysisExports {
    CjsAnalysisExports { exports: Vec::new(), reexports: Vec::new(), member_reexports: Vec::new() }
}

fn parse(specifier: &Url, media_type: MediaType, source: &str) -> Result<ParsedSource, JsErrorBox> {
    deno_ast::parse_program(ParseParams {
        specifier: specifier.clone(),
        text: source.into(),
        media_type,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    })
    .map_err(JsErrorBox::from_err)
}

fn read_source(path: &Path) -> std::io::Result<String> {
    let bytes = std::fs::read(path)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Remembers a file of the project as loaded; what lies in a `node_modules` changes only by an installation.
fn note_loaded(loaded: &LoadedFiles, path: &Path) {
    if !is_in_node_modules(path) {
        loaded.borrow_mut().push(path.to_path_buf());
    }
}

fn is_in_node_modules(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "node_modules")
}

fn node_url(name: &str) -> ModuleResolveResponse {
    let name = name.strip_prefix("node:").unwrap_or(name);
    Url::parse(&format!("node:{name}")).map_err(JsErrorBox::from_err)
}

/// Code that names the engine's own namespace gets a local of that name which is undefined. A `var` at the end is hoisted,
/// so that no line moves; code that declares the name itself is left alone.
fn hide_engine(mut source: String) -> String {
    if mentions_engine(&source) && !declares_engine(&source) {
        source.push_str("\n;var Deno;");
    }
    source
}

fn mentions_engine(source: &str) -> bool {
    source.contains("Deno")
}

fn declares_engine(source: &str) -> bool {
    ["const", "let", "class", "function", "import", "as", "{", ","].iter().any(|word| {
        source.match_indices(word).any(|(at, word)| {
            let rest = source.get(at + word.len()..).unwrap_or_default().trim_start();
            rest.strip_prefix("Deno").is_some_and(|rest| {
                !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '.')
            })
        })
    })
}

/// The error for an import that leads nowhere, worded as the cloud words it for `require`.
fn missing_module(specifier: &str, referrer: &Url) -> Option<JsErrorBox> {
    let is_relative = specifier.starts_with('.') || specifier.starts_with('/') || specifier.starts_with("file:");
    let from = referrer.to_file_path().ok()?;
    if is_relative {
        return None;
    }
    Some(JsErrorBox::generic(format!("Cannot find module '{specifier}'\nRequire stack:\n- {}", from.display())))
}

fn not_found(path: &Path, error: std::io::Error) -> JsErrorBox {
    match error.kind() {
        std::io::ErrorKind::NotFound => JsErrorBox::generic(format!("Cannot find module '{}'", path.display())),
        _ => JsErrorBox::from_err(error),
    }
}

fn native_addon(path: &Path) -> JsErrorBox {
    JsErrorBox::generic(format!("native addons are not supported by the emulator: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_hidden_from_code_that_names_it() {
        let check = |source: &str, expected: bool| {
            assert_eq!(hide_engine(source.to_owned()).ends_with("var Deno;"), expected, "{source}");
        };
        check("exports.a = 1", false);
        check("if (typeof Deno !== 'undefined') {}", true);
        check("const runtime = globalThis.Deno", true);
        check("const Deno = null", false);
        check("import Deno from './deno.js'", false);
        check("import { Deno } from './deno.js'", false);
        check("f(a, Deno.env)", true);
    }
}
