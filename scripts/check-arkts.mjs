// Checks the DevEco project and the ohpm package without the OpenHarmony SDK: type errors and ArkTS rules in every .ets file, and the
// .json5 files, resources and paths that hvigor would trip over.
//
//   node scripts/check-arkts.mjs [--sdk FOLDER] [--module FOLDER] [FILE...]
//
//   FILE       checks only these sources, in any folder: .ets, .ts, or the examples of a page (.md)
//   --sdk      uses the declarations in this checkout of the public SDK instead of the stubs in tests/arkts-stubs. Members that the
//              sources use must exist at the API level with which the app is compatible
//   --module   checks only the sources of this module, with its packages in oh_modules, as ohpm installs them
//
// The compiler is npm's ohos-typescript, which scripts/setup.sh installs. OHOS_TYPESCRIPT names the folder of another one.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { folderOfCompiler } from './arkts-compiler.mjs';
import { answerHelp } from './usage.mjs';

answerHelp(import.meta.url);

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const STUBS = path.join(ROOT, 'tests/arkts-stubs');
const LIBRARY = 'libnet_websocket.so';
const PACKAGE = '@net-websocket/net_websocket';
const INDEX_DTS = path.join(ROOT, 'package/src/main/cpp/types/libnet_websocket/index.d.ts');
const ETS_FOLDERS = ['entry/src/main/ets', 'entry/src/ohosTest/ets', 'package', 'tests/arkts', 'examples'];
const DOCUMENTS = ['README.md', 'README.zh-CN.md', 'docs', 'package'];
const PROJECT_FOLDERS = ['AppScope', 'hvigor', 'entry', 'package'];
// What DevEco Studio, hvigor, ohpm and scripts/build.sh put next to the sources.
const GENERATED_FOLDERS = ['.hvigor', '.test', '.preview', '.cxx', 'build', 'libs', 'oh_modules', 'node_modules'];

function fail(message) {
  console.error(`check-arkts: ${message}`);
  process.exit(1);
}

const ts = createRequire(import.meta.url)(folderOfCompiler(fail));

function filesUnder(folder, wanted) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return GENERATED_FOLDERS.includes(entry.name) ? [] : filesUnder(full, wanted);
    return wanted(entry.name) ? [full] : [];
  });
}

const relative = (file) => path.relative(ROOT, file);

const options = (() => {
  const found = { files: [] };
  const rest = process.argv.slice(2);
  while (rest.length > 0) {
    const name = rest.shift();
    if (['--sdk', '--module'].includes(name) && rest.length > 0) found[name.slice(2)] = path.resolve(rest.shift());
    else if (/\.(ets|ts|md)$/.test(name)) found.files.push(path.resolve(name));
    else fail('usage: node scripts/check-arkts.mjs [--sdk FOLDER] [--module FOLDER] [FILE.ets|FILE.ts|FILE.md...]');
  }
  const missing = found.files.find((file) => !fs.existsSync(file));
  if (missing) fail(`there is no ${missing}`);
  return found;
})();

const SDK_COMPONENTS = 'api/@internal/component/ets';
const SDK_GLOBALS = 'api/@internal/ets/global.d.ts';
if (options.sdk && !fs.existsSync(path.join(options.sdk, SDK_COMPONENTS, 'common.d.ts'))) {
  fail(`${options.sdk} is no checkout of openharmony/interface_sdk-js: it has no ${SDK_COMPONENTS}/common.d.ts`);
}
const API_LEVEL = Number(/"compatibleSdkVersion": "[\d.]+\((\d+)\)"/.exec(fs.readFileSync(path.join(ROOT, 'build-profile.json5'), 'utf8'))[1]);

// ---- ArkTS ----

// As in the SDK's ets-loader, cut down to what the stubs declare.
const COMPONENTS = ['Column', 'Row', 'Text', 'TextInput', 'Button', 'List', 'ListItem'];
const COMPILER_OPTIONS = {
  target: ts.ScriptTarget.ES2021,
  module: ts.ModuleKind.ES2020,
  moduleResolution: ts.ModuleResolutionKind.NodeJs,
  lib: ['lib.es2021.d.ts'],
  types: [],
  strict: true,
  noImplicitAny: true,
  allowSyntheticDefaultImports: true,
  esModuleInterop: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: false,
  importsNotUsedAsValues: ts.ImportsNotUsedAsValues.Preserve,
  forceConsistentCasingInFileNames: true,
  noEmit: true,
  incremental: true,
  // ohos-typescript wants a name for it; nothing is written.
  tsBuildInfoFile: path.join(os.tmpdir(), 'check-arkts.tsbuildinfo'),
  skipLibCheck: options.sdk !== undefined,
  packageManagerType: 'ohpm',
  needDoArkTsLinter: true,
  isCompatibleVersion: false,
  compatibleSdkVersion: API_LEVEL,
  ets: {
    render: { method: ['build', 'pageTransition'], decorator: ['Builder', 'LocalBuilder'] },
    components: COMPONENTS,
    libs: [],
    extend: {
      decorator: ['Extend', 'AnimatableExtend'],
      components: COMPONENTS.map((name) => ({ name, type: `${name}Attribute`, instance: `${name}Instance` })),
    },
    styles: {
      decorator: 'Styles',
      component: { name: 'Common', type: 'T', instance: 'CommonInstance' },
      property: 'stateStyles',
    },
    concurrent: { decorator: 'Concurrent' },
    customComponent: 'CustomComponent',
    propertyDecorators: [
      { name: 'State', needInitialization: true },
      { name: 'Link', needInitialization: false },
      { name: 'Prop', needInitialization: false },
    ],
    emitDecorators: [
      { name: 'Entry', emitParameters: true },
      { name: 'Component', emitParameters: false },
    ],
    syntaxComponents: { paramsUICallback: ['ForEach'], attrUICallback: [] },
  },
};

/** Diagnostics of `roots`. The library and the package are those of this repository, or with `installed` those in oh_modules. */
function checkArkTs(roots, { installed = false } = {}) {
  const host = ts.createIncrementalCompilerHost(COMPILER_OPTIONS);
  host.resolveModuleNames = (names, containing) => names.map((name) => {
    const asInstalled = installed && (name === LIBRARY || name === PACKAGE);
    return asInstalled ? ts.resolveModuleName(name, containing, COMPILER_OPTIONS, host).resolvedModule : resolveModule(name, containing);
  });
  host.writeFile = () => {};
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) => {
    if (!options.sdk || !file.endsWith(SDK_GLOBALS)) return getSourceFile(file, ...rest);
    // The SDK's build makes globals of what this file exports.
    const text = fs.readFileSync(file, 'utf8').replaceAll(/^export /gm, '');
    return Object.assign(ts.createSourceFile(file, text, COMPILER_OPTIONS.target, true), { version: '1' });
  };

  const rootNames = [...roots, ...(options.sdk ? sdkGlobals() : [path.join(STUBS, 'arkui.d.ts')])];
  const builder = ts.createIncrementalProgramForArkTs({ rootNames, options: COMPILER_OPTIONS, host });
  const program = builder.getProgram();
  const own = program.getSourceFiles().filter((file) => !program.isSourceFileDefaultLibrary(file) && !isOfSdk(file.fileName));
  return [
    ...builder.getOptionsDiagnostics(),
    ...builder.getGlobalDiagnostics(),
    ...own.flatMap((file) => [...builder.getSyntacticDiagnostics(file), ...builder.getSemanticDiagnostics(file)]),
    ...ts.ArkTSLinter_1_1.runArkTSLinter(builder, undefined, undefined, 'ArkTS_1_1'),
    ...(options.sdk ? own.flatMap((file) => tooNew(file, program.getTypeChecker())) : []),
  ].filter((diagnostic) => !isOfSdk(diagnostic.file?.fileName ?? '') && !ADVICE.includes(diagnostic.code));
}

// ---- the SDK's own declarations ----

// 28040: a function of the SDK may throw. A warning, whatever the caller does.
const ADVICE = [28040];

const isOfSdk = (file) => options.sdk !== undefined && file.startsWith(`${options.sdk}/`);

/** What every .ets file sees without an import. */
function sdkGlobals() {
  const components = filesUnder(path.join(options.sdk, SDK_COMPONENTS), (name) => /(?<!\.static)\.d\.ts$/.test(name));
  return [path.join(options.sdk, SDK_GLOBALS), ...components];
}

/** The lowest API level that has a declaration of this symbol: the least `@since` of them all, or that of what it is a member of. */
function levelOf(symbol) {
  const levels = (symbol.declarations ?? []).filter((declaration) => isOfSdk(declaration.getSourceFile().fileName)).flatMap((declaration) => {
    for (let node = declaration; node && !ts.isSourceFile(node); node = node.parent) {
      const text = (node.jsDoc ?? []).map((doc) => doc.getText()).join('\n');
      const since = [...text.matchAll(/@since (?:\d+\.\d+\.\d+\()?(\d+)/g)].map((match) => Number(match[1]));
      if (since.length > 0) return Math.min(...since);
    }
    return [];
  });
  return levels.length === 0 ? undefined : Math.min(...levels);
}

/** A diagnostic for each name in `file` that the SDK declares, but not yet at API_LEVEL. */
function tooNew(file, checker) {
  const found = [];
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      let symbol = checker.getSymbolAtLocation(node);
      if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
      const level = symbol && levelOf(symbol);
      if (level !== undefined) apisSeen.add(symbol);
      if (level > API_LEVEL) found.push({ file, start: node.getStart(), messageText: `'${node.text}' is there since API ${level}, and the app is for ${API_LEVEL}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
/** How many declarations of the SDK have been looked at. */
const apisSeen = new Set();

function resolveModule(name, containing) {
  const candidates = name === LIBRARY ? [INDEX_DTS]
    : name === PACKAGE ? [path.join(ROOT, 'package/Index.ets')]
    : name.startsWith('.') ? ['.ets', '.ts', '.d.ts', '.d.ets', ''].map((suffix) => path.resolve(path.dirname(containing), name.replace(/\.js$/, '')) + suffix)
    : options.sdk && !name.startsWith('@ohos/') ? ['kits', 'api', 'arkts'].flatMap((folder) => ['.d.ts', '.d.ets'].map((suffix) => path.join(options.sdk, folder, name) + suffix))
    : [path.join(STUBS, `${name.replace('/', '.')}.d.ts`)];
  const found = candidates.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
  if (!found) return undefined;
  const extension = found.endsWith('.d.ts') ? ts.Extension.Dts : found.endsWith('.d.ets') ? ts.Extension.Dets : found.endsWith('.ets') ? ts.Extension.Ets : ts.Extension.Ts;
  return { resolvedFileName: found, extension, isExternalLibraryImport: name === LIBRARY };
}

// For sources that an app does not compile directly.
const PLAIN_OPTIONS = {
  target: ts.ScriptTarget.ES2021,
  module: ts.ModuleKind.ES2020,
  moduleResolution: ts.ModuleResolutionKind.NodeJs,
  lib: ['lib.es2021.d.ts'],
  types: [],
  strict: true,
  noEmit: true,
  skipLibCheck: false,
};

/** Diagnostics of declarations by themselves: also of those that nothing uses. */
function checkTypes(file) {
  const host = ts.createCompilerHost(PLAIN_OPTIONS);
  host.resolveModuleNames = (names) => names.map((name) => ({ resolvedFileName: path.join(STUBS, `${name}.d.ts`), extension: ts.Extension.Dts }));
  return ts.getPreEmitDiagnostics(ts.createProgram([file], PLAIN_OPTIONS, host));
}

/** Diagnostics of a source for the web, which sees the DOM and our declarations. An expected fault that does not occur is also
 * a fault. */
function checkForTheDom(file) {
  const compilerOptions = { ...PLAIN_OPTIONS, lib: [...PLAIN_OPTIONS.lib, 'lib.dom.d.ts'] };
  const host = ts.createCompilerHost(compilerOptions);
  // By its path: a .ts file sees nothing in a module whose name ends with .so.
  host.resolveModuleNames = (names) => names.map((name) => (path.resolve(path.dirname(file), `${name}.d.ts`) === INDEX_DTS
    ? { resolvedFileName: INDEX_DTS, extension: ts.Extension.Dts }
    : { resolvedFileName: path.join(STUBS, `${name}.d.ts`), extension: ts.Extension.Dts }));
  return ts.getPreEmitDiagnostics(ts.createProgram([file], compilerOptions, host));
}

/** Examples of the documentation, by the file that each was written to. */
const documentOf = new Map();

/** Writes the examples that are whole modules (they begin with an import) to files in `folder`; lines keep their numbers. */
function examplesOf(document, folder) {
  const text = fs.readFileSync(document, 'utf8');
  return [...text.matchAll(/^```ts\n(import [^]*?)^```$/gm)].map((match, index) => {
    const file = path.join(folder, `${relative(document).replaceAll(/[/.]/g, '_')}_${index}.ets`);
    const linesBefore = text.slice(0, match.index).split('\n').length;
    fs.writeFileSync(file, '\n'.repeat(linesBefore) + match[1]);
    documentOf.set(file, document);
    return file;
  });
}

/**
 * What the ArkTS rules would refuse in index.d.ts, whose own kind of file they do not look at, and members without a comment or
 * without the version that they came with.
 */
function checkDeclarations(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2021, true);
  const problems = [];
  const tell = (node, what) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    problems.push(`${relative(file)}:${line + 1}: ${what}`);
  };
  const documented = new Set();
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword || node.kind === ts.SyntaxKind.UnknownKeyword) tell(node, `the type ${node.getText()}`);
    const isMember = ts.isTypeElement(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node) || ts.isEnumMember(node)
      || ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) || ts.isEnumDeclaration(node) || ts.isFunctionDeclaration(node)
      || ts.isTypeAliasDeclaration(node);
    if (isMember) {
      // Of overloads the first has the comment.
      const name = `${node.parent.pos} ${node.name.getText()}`;
      if (node.jsDoc) {
        documented.add(name);
        if (!ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'since' && tag.comment)) tell(node, `${node.name.getText()} has no @since`);
      } else if (!documented.has(name)) {
        tell(node, `${node.name.getText()} has no comment`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** What `pages` do not name, in backquotes, of the fields of `interfaces`. */
function unnamedFields(declarations, interfaces, pages) {
  const source = ts.createSourceFile('index.d.ts', declarations, ts.ScriptTarget.ES2021, true);
  const fields = [];
  const visit = (node) => {
    if (ts.isInterfaceDeclaration(node) && interfaces.includes(node.name.text)) fields.push(...node.members.map((member) => member.name.getText()));
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (fields.length === 0) fail(`index.d.ts has none of ${interfaces.join(', ')}`);
  return fields.filter((field) => !pages.includes(`\`${field}\``));
}

/** The events that `on` knows and `pages` do not name, in backquotes. */
function unnamedEvents(declarations, pages) {
  const events = [...declarations.matchAll(/^ *on\(type: '(\w+)'/gm)].map((match) => match[1]);
  if (events.length === 0) fail('index.d.ts has no events');
  return events.filter((event) => !pages.includes(`\`${event}\``));
}

/** Each option, figure and event is on a page of the guide, in each language. scripts/check-pages.mjs looks at docs/options.md. */
function checkPages(problems) {
  const declarations = fs.readFileSync(INDEX_DTS, 'utf8');
  const read = (files) => files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  const pages = filesUnder(path.join(ROOT, 'docs/arkts'), (name) => name.endsWith('.md'));
  const [chinese, english] = [true, false].map((wanted) => read(pages.filter((page) => page.endsWith('.zh-CN.md') === wanted)));
  const onPages = ['WebSocketRequestOptions', 'ReconnectOptions', 'ClientCert', 'HttpProxy', 'Statistics', 'FrameHeader', 'WebSocketError'];
  const places = [
    ['docs/arkts, English', english],
    ['docs/arkts, Chinese', chinese],
  ];
  for (const [where, text] of places) {
    const missing = [...unnamedFields(declarations, onPages, text), ...unnamedEvents(declarations, text)];
    for (const name of missing) problems.push(`${where}: does not name ${name}`);
  }
  return places.length;
}

const FAULTY_DECLARATIONS = [
  ['the type any', '/** A. */\ninterface A {\n  /** B. */\n  b: any;\n}\n', /the type any/],
  ['the type unknown', '/** A. */\ninterface A {\n  /** B. */\n  b: Record<string, unknown>;\n}\n', /the type unknown/],
  ['a member without a comment', '/** A. */\ninterface A {\n  b: string;\n}\n', /b has no comment/],
  ['a member without its version', '/** @since 6 */\ninterface A {\n  /** B. @since */\n  b: string;\n}\n', /b has no @since/],
  ['an overload without its version', '/** @since 6 */\ninterface A {\n  /** @since 6 */\n  b(): void;\n\n  /** C. */\n  b(c: string): void;\n}\n', /b has no @since/],
];

// What is put at the end of index.d.ts, and what the compiler says of it.
const FAULTY_TYPES = [
  ['a type that is nowhere', 'interface A {\n  b: webSocket.Nowhere;\n}\n', /has no exported member 'Nowhere'/],
  ['a base that is nowhere', 'interface A extends webSocket.CloseResults {}\n', /has no exported member .*'CloseResults'/],
  ['a member of another type than the one it overrides', 'interface A extends webSocket.CloseResult {\n  code: string;\n}\n', /incorrectly extends/],
  ['one name twice', 'interface A {\n  b: string;\n  b: number;\n}\n', /Duplicate identifier 'b'/],
];

function describeDiagnostic(diagnostic) {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
  if (!diagnostic.file) return text;
  const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  const file = documentOf.get(diagnostic.file.fileName) ?? diagnostic.file.fileName;
  return `${relative(file)}:${line + 1}:${character + 1} ${text}`;
}

// Each faulty source must yield a diagnostic that matches, else a clean result of this checker means nothing.
const FAULTY_SOURCES = [
  {
    what: 'a wrong member name',
    source: `import webSocket from '${LIBRARY}';\nwebSocket.createWebSocket().conect('ws://localhost');\n`,
    expected: /'conect' does not exist/,
  },
  {
    what: 'a wrong argument type',
    source: `import webSocket from '${LIBRARY}';\nwebSocket.createWebSocket().send(5);\n`,
    expected: /'number' is not assignable|No overload matches/,
  },
  {
    what: 'an unknown event name',
    source: `import webSocket from '${LIBRARY}';\nwebSocket.createWebSocket().on('opened', () => {});\n`,
    expected: /"opened"/,
  },
  { what: 'the type any', source: 'export let value: any = 1;\n', expected: /arkts-no-any-unknown/ },
  { what: 'an untyped object literal', source: 'export const value = { a: 1 };\n', expected: /arkts-no-untyped-obj-literals/ },
  { what: 'a module without declarations', source: "import { x } from '@kit.NoSuchKit';\nx();\n", expected: /Cannot find module/ },
  {
    what: 'a wrong attribute of a component',
    source: "@Entry\n@Component\nstruct Page {\n  build() {\n    Text('a').fontSiz(3)\n  }\n}\n",
    expected: /'fontSiz' does not exist/,
  },
];
if (options.sdk) {
  FAULTY_SOURCES.push({
    what: 'an API that came later',
    source: "import { webSocket } from '@kit.NetworkKit';\nwebSocket.createWebSocketServer();\n",
    expected: /'createWebSocketServer' is there since API 19/,
  });
}

function selfTest() {
  for (const [what, text, expected] of FAULTY_DECLARATIONS) {
    const found = checkDeclarations('faulty.d.ts', text);
    if (!found.some((problem) => expected.test(problem))) fail(`the checker is broken: ${what} went unnoticed in declarations`);
  }
  const unnamed = unnamedFields('interface A {\n  b: string;\n  c: string;\n}\n', ['A'], 'It has `b`, and c.');
  if (unnamed.join() !== 'c') fail('the checker is broken: a field that no page names went unnoticed');
  const unheard = unnamedEvents("  on(type: 'a'): void;\n  on(type: 'b'): void;\n", 'It has `a`.');
  if (unheard.join() !== 'b') fail('the checker is broken: an event that no page names went unnoticed');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-arkts-'));
  try {
    for (const [what, text, expected] of FAULTY_TYPES) {
      const file = path.join(folder, 'index.d.ts');
      fs.writeFileSync(file, `${fs.readFileSync(INDEX_DTS, 'utf8')}${text}`);
      const messages = checkTypes(file).map(describeDiagnostic);
      if (!messages.some((message) => expected.test(message))) {
        fail(`the checker is broken: ${what} went unnoticed in declarations; it reported ${JSON.stringify(messages)}`);
      }
    }
    const files = FAULTY_SOURCES.map(({ source }, index) => {
      const file = path.join(folder, `Faulty${index}.ets`);
      fs.writeFileSync(file, source);
      return file;
    });
    const diagnostics = checkArkTs(files);
    FAULTY_SOURCES.forEach(({ what, expected }, index) => {
      const messages = diagnostics.filter((diagnostic) => diagnostic.file?.fileName === files[index]).map(describeDiagnostic);
      if (!messages.some((message) => expected.test(message))) {
        fail(`the checker is broken: ${what} went unnoticed; it reported ${JSON.stringify(messages)}`);
      }
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

// ---- project files ----

function parseJson(file, problems) {
  const { config, error } = ts.parseConfigFileTextToJson(file, fs.readFileSync(file, 'utf8'));
  if (error) problems.push(`${relative(file)}: ${ts.flattenDiagnosticMessageText(error.messageText, '\n')}`);
  return config ?? {};
}

/** Names like `string.app_name` or `media.icon` that the resource folder defines. */
function resourcesIn(folder, problems) {
  const names = new Set();
  if (!fs.existsSync(folder)) return names;
  for (const file of filesUnder(folder, () => true)) {
    const kind = path.basename(path.dirname(file));
    const stem = path.basename(file, path.extname(file));
    if (kind === 'element') {
      for (const item of parseJson(file, problems)[stem] ?? []) names.add(`${stem}.${item.name}`);
    } else {
      names.add(`${kind}.${stem}`);
    }
  }
  return names;
}

function checkResources(problems) {
  const app = resourcesIn(path.join(ROOT, 'AppScope/resources/base'), problems);
  const entry = resourcesIn(path.join(ROOT, 'entry/src/main/resources/base'), problems);
  const moduleSees = new Set([...app, ...entry]);

  const check = (file, pattern, known) => {
    for (const [, kind, name] of fs.readFileSync(file, 'utf8').matchAll(pattern)) {
      if (!known.has(`${kind}.${name}`)) problems.push(`${relative(file)}: there is no resource ${kind} "${name}"`);
    }
  };
  const reference = /"\$(string|media|color|profile):(\w+)"/g;
  check(path.join(ROOT, 'AppScope/app.json5'), reference, app);
  for (const file of filesUnder(path.join(ROOT, 'AppScope'), (name) => name.endsWith('.json'))) check(file, reference, app);
  for (const file of filesUnder(path.join(ROOT, 'entry'), (name) => /\.json5?$/.test(name))) check(file, reference, moduleSees);
  for (const file of filesUnder(path.join(ROOT, 'entry'), (name) => name.endsWith('.ets'))) {
    check(file, /\$r\('app\.(\w+)\.(\w+)'\)/g, moduleSees);
  }

  const translated = resourcesIn(path.join(ROOT, 'entry/src/main/resources/zh_CN'), problems);
  for (const name of entry) {
    if (name.startsWith('string.') && !translated.has(name)) problems.push(`entry/src/main/resources/zh_CN: lacks ${name}`);
  }
  for (const name of translated) {
    if (!entry.has(name)) problems.push(`entry/src/main/resources/base: lacks ${name}, which zh_CN has`);
  }
}

function checkPaths(problems) {
  const mustExist = (file, from) => {
    const exists = fs.existsSync(file);
    if (!exists) problems.push(`${from}: ${relative(file)} does not exist`);
    return exists;
  };
  const project = parseJson(path.join(ROOT, 'build-profile.json5'), problems);
  for (const { srcPath } of project.modules ?? []) {
    const folder = path.join(ROOT, srcPath);
    const required = ['build-profile.json5', 'hvigorfile.ts', 'oh-package.json5', 'src/main/module.json5'];
    if (!required.map((file) => mustExist(path.join(folder, file), 'build-profile.json5')).every(Boolean)) continue;
    const main = path.join(folder, 'src/main');
    const { module } = parseJson(path.join(main, 'module.json5'), problems);
    for (const ability of module.abilities) mustExist(path.join(main, ability.srcEntry), 'module.json5');
    if (!module.abilities.some((ability) => ability.name === module.mainElement)) {
      problems.push(`module.json5: mainElement ${module.mainElement} is not among the abilities`);
    }
    for (const wanted of ['ohos.permission.INTERNET', 'ohos.permission.GET_NETWORK_INFO']) {
      if (!module.requestPermissions?.some((permission) => permission.name === wanted)) problems.push(`module.json5: does not ask for ${wanted}`);
    }
    for (const page of parseJson(path.join(main, 'resources/base/profile/main_pages.json'), problems).src) {
      mustExist(path.join(main, 'ets', `${page}.ets`), 'main_pages.json');
    }
    for (const [name, where] of Object.entries(parseJson(path.join(folder, 'oh-package.json5'), problems).dependencies)) {
      if (!where.startsWith('file:')) continue;
      const target = path.join(folder, where.slice('file:'.length));
      // The HAR is made, not kept; what is in it is package/.
      const isHar = target.endsWith('.har');
      if (isHar && target !== path.join(ROOT, 'package.har')) problems.push(`${relative(folder)}/oh-package.json5: ${where} is not where the HAR is made`);
      const types = path.join(isHar ? path.join(ROOT, 'package') : target, 'oh-package.json5');
      if (mustExist(types, 'oh-package.json5') && parseJson(types, problems).name !== name) problems.push(`${relative(types)}: must be named ${name}`);
    }
  }
}

/** The version is written in several places; hvigor and ohpm read none of them from Cargo.toml. */
function checkVersions(problems) {
  const version = fs.readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"$/m)?.[1];
  const written = {
    'AppScope/app.json5': (config) => config.app.versionName,
    'entry/oh-package.json5': (config) => config.version,
    'package/oh-package.json5': (config) => config.version,
    'package/src/main/cpp/types/libnet_websocket/oh-package.json5': (config) => config.version,
  };
  for (const [file, read] of Object.entries(written)) {
    const found = read(parseJson(path.join(ROOT, file), problems));
    if (found !== version) problems.push(`${file}: has version ${found}, Cargo.toml has ${version}`);
  }
}

/** The sources of a module, and of what is installed in it. */
function checkModule(folder) {
  const sources = filesUnder(path.join(folder, 'src'), (name) => name.endsWith('.ets'));
  if (sources.length === 0) fail(`${folder} has no .ets files in src`);
  const entry = path.join(folder, 'oh_modules', PACKAGE, 'Index.ets');
  if (!fs.existsSync(entry)) fail(`${PACKAGE} is not installed in ${folder}`);
  return checkArkTs([...sources, entry], { installed: true }).map(describeDiagnostic);
}

/** What is wrong with sources that may be anywhere. */
function checkFiles(files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-arkts-'));
  try {
    const sources = files.flatMap((file) => (file.endsWith('.md') ? examplesOf(file, folder) : [file]));
    if (sources.length === 0) fail(`no example in ${files.map(relative).join(', ')}: one is a block of ts that begins with an import`);
    return checkArkTs(sources).map(describeDiagnostic);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function main() {
  if (options.files.length > 0) {
    const problems = checkFiles(options.files);
    for (const problem of problems) console.error(problem);
    console.log(`arkts: ${options.files.length} files, ${problems.length} problems`);
    process.exit(problems.length === 0 ? 0 : 1);
  }
  if (options.module) {
    const problems = checkModule(options.module);
    for (const problem of problems) console.error(problem);
    process.exit(problems.length === 0 ? 0 : 1);
  }
  selfTest();

  const problems = [];
  const json5 = [
    ...['build-profile.json5', 'oh-package.json5'].map((name) => path.join(ROOT, name)),
    ...PROJECT_FOLDERS.flatMap((folder) => filesUnder(path.join(ROOT, folder), (name) => /\.json5?$/.test(name))),
  ];
  for (const file of json5) parseJson(file, problems);
  if (problems.length === 0) {
    checkResources(problems);
    checkPaths(problems);
    checkVersions(problems);
  }
  const places = checkPages(problems);

  const ets = ETS_FOLDERS.flatMap((folder) => filesUnder(path.join(ROOT, folder), (name) => name.endsWith('.ets')));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-arkts-'));
  const isPage = (name) => name.endsWith('.md');
  const documents = DOCUMENTS.flatMap((name) => (isPage(name) ? [path.join(ROOT, name)] : filesUnder(path.join(ROOT, name), isPage)));
  const examples = documents.flatMap((document) => examplesOf(document, folder));
  problems.push(...checkArkTs([...ets, ...examples]).map(describeDiagnostic));
  fs.rmSync(folder, { recursive: true });
  problems.push(...checkForTheDom(path.join(ROOT, 'tests/arkts/web_of_the_dom.ts')).map(describeDiagnostic));
  problems.push(...checkTypes(INDEX_DTS).map(describeDiagnostic));
  problems.push(...checkDeclarations(INDEX_DTS, fs.readFileSync(INDEX_DTS, 'utf8')));

  const unique = [...new Set(problems)];
  for (const problem of unique) console.error(problem);
  // Each file is a test, and so is each place and planted fault; every problem begins with the file it is in.
  const failed = new Set(unique.map((problem) => problem.split(':', 1)[0])).size;
  const planted = FAULTY_SOURCES.length + FAULTY_DECLARATIONS.length + FAULTY_TYPES.length + 2;
  const passed = ets.length + 1 + examples.length + json5.length + places + planted - failed;
  console.log(`arkts: ${passed} passed, ${failed} failed (${ets.length} .ets files, one for the DOM, ${examples.length} examples, ${json5.length} project files, `
    + `${places} places that name all options, ${planted} planted faults that must be found`
    + `${options.sdk ? `; ${apisSeen.size} names of the SDK, none later than API ${API_LEVEL}` : ''})`);
  process.exit(failed === 0 ? 0 : 1);
}

main();
