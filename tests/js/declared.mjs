// Prints the runtime declarations of index.d.ts as JSON, for declared.test.js:
//
//   node declared.mjs INDEX_D_TS      OHOS_TYPESCRIPT names the folder of npm ohos-typescript
//
//   values       {name: kind} of the namespace webSocket, and of web in it: function, const, enum, class or namespace
//   enums        {name: {member: number}}
//   shapes       {name: {member: {kind: 'method' | 'property', optional}}} of classes and interfaces, with what they inherit here. A static
//                member has `static ` before its name
//   constructors {name of a class: whether an app may call it}
//   events       {name of an interface or class: the types of events that its `on` takes, and those that its `off` takes}

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [, , file] = process.argv;
const ts = createRequire(import.meta.url)(path.resolve(process.env.OHOS_TYPESCRIPT));
const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.ES2021, true);
const found = { values: {}, enums: {}, shapes: {}, constructors: {}, events: {} };
const parents = {};

const STATIC = 'static ';

const has = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;

function shapeOf(node) {
  const shape = {};
  for (const member of node.members) {
    if (!member.name) continue;
    const kind = ts.isMethodSignature(member) || ts.isMethodDeclaration(member) ? 'method' : 'property';
    const prefix = has(member, ts.SyntaxKind.StaticKeyword) ? STATIC : '';
    shape[prefix + member.name.getText()] = { kind, optional: member.questionToken !== undefined };
  }
  return shape;
}

/** What the overloads of a method take as the text of their first argument. */
function firstTexts(node, method) {
  const overloads = node.members.filter((member) => member.name?.getText() === method);
  return overloads.flatMap(({ parameters }) => (parameters[0] && ts.isLiteralTypeNode(parameters[0].type) ? [parameters[0].type.literal.text] : []));
}

/** Declarations of a namespace; names in `web` have that before them. */
function declarations(body, prefix) {
  const value = (name, kind) => (found.values[prefix + name] = kind);
  for (const node of body.statements) {
    const name = node.name?.text;
    if (ts.isFunctionDeclaration(node)) value(name, 'function');
    else if (ts.isVariableStatement(node)) node.declarationList.declarations.forEach((each) => value(each.name.text, 'const'));
    else if (ts.isModuleDeclaration(node)) {
      value(name, 'namespace');
      declarations(node.body, `${name}.`);
    } else if (ts.isEnumDeclaration(node)) {
      value(name, 'enum');
      found.enums[prefix + name] = Object.fromEntries(node.members.map((member) => [member.name.text, Number(member.initializer.getText())]));
    } else if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      const full = prefix + name;
      found.shapes[full] = shapeOf(node);
      const [on, off] = [firstTexts(node, 'on'), firstTexts(node, 'off')];
      if (on.length > 0) found.events[full] = { on, off };
      parents[full] = (node.heritageClauses ?? []).flatMap((clause) => clause.types.map((type) => prefix + type.expression.text));
      if (!ts.isClassDeclaration(node)) continue;
      value(name, 'class');
      found.constructors[full] = !node.members.some((member) => ts.isConstructorDeclaration(member) && has(member, ts.SyntaxKind.PrivateKeyword));
    } else if (!ts.isTypeAliasDeclaration(node)) throw new Error(`${file}: a declaration of a kind that is not known here: ${node.getText().slice(0, 80)}`);
  }
}

const root = source.statements.find((node) => ts.isModuleDeclaration(node));
declarations(root.body, '');
for (const name of Object.keys(found.shapes)) {
  for (const parent of parents[name]) {
    const inherited = Object.entries(found.shapes[parent] ?? {}).filter(([member]) => !member.startsWith(STATIC));
    found.shapes[name] = { ...Object.fromEntries(inherited), ...found.shapes[name] };
  }
}
process.stdout.write(JSON.stringify(found));
