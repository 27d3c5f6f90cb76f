// ArkUI's globals, declared the way the SDK does: a component's call returns its attribute object, whose methods chain.

declare interface Resource {
  readonly bundleName: string;
  readonly moduleName: string;
  readonly id: number;
}

declare type ResourceStr = string | Resource;
declare type Length = string | number | Resource;
declare type ResourceColor = number | string | Resource;

declare function $r(value: string, ...params: Object[]): Resource;

declare interface Console {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
declare const console: Console;

declare function setTimeout(handler: Function | string, delay?: number, ...arguments: any[]): number;
declare function clearTimeout(timeoutID?: number): void;

declare const Entry: ClassDecorator;
declare const Component: ClassDecorator;
declare const State: PropertyDecorator;
declare const Concurrent: MethodDecorator;

declare enum Edge {
  Top,
  Bottom,
}

declare enum VerticalAlign {
  Top,
  Center,
  Bottom,
}

declare enum InputType {
  Normal,
}

declare class Scroller {
  scrollEdge(value: Edge): void;
}

declare interface ClickEvent {
  timestamp: number;
}

declare class CommonMethod<T> {
  id(value: string): T;
  width(value: Length): T;
  height(value: Length): T;
  padding(value: Length): T;
  layoutWeight(value: number | string): T;
  enabled(value: boolean): T;
  backgroundColor(value: ResourceColor): T;
  borderRadius(value: Length): T;
  onClick(event: (event: ClickEvent) => void): T;
}

declare class CommonAttribute extends CommonMethod<CommonAttribute> {}
declare interface CommonInterface {
  (): CommonAttribute;
}
declare const CommonInstance: CommonAttribute;
declare const Common: CommonInterface;

declare class CustomComponent extends CommonAttribute {
  build(): void;
  aboutToAppear?(): void;
  aboutToDisappear?(): void;
}

declare class ColumnAttribute extends CommonMethod<ColumnAttribute> {}
declare interface ColumnInterface {
  (value?: { space?: string | number }): ColumnAttribute;
}
declare const ColumnInstance: ColumnAttribute;
declare const Column: ColumnInterface;

declare class RowAttribute extends CommonMethod<RowAttribute> {
  alignItems(value: VerticalAlign): RowAttribute;
}
declare interface RowInterface {
  (value?: { space?: string | number }): RowAttribute;
}
declare const RowInstance: RowAttribute;
declare const Row: RowInterface;

declare class TextAttribute extends CommonMethod<TextAttribute> {
  fontSize(value: number | string | Resource): TextAttribute;
  fontColor(value: ResourceColor): TextAttribute;
}
declare interface TextInterface {
  (content?: ResourceStr): TextAttribute;
}
declare const TextInstance: TextAttribute;
declare const Text: TextInterface;

declare interface TextInputOptions {
  placeholder?: ResourceStr;
  text?: ResourceStr;
}
declare class TextInputAttribute extends CommonMethod<TextInputAttribute> {
  type(value: InputType): TextInputAttribute;
  onChange(callback: (value: string) => void): TextInputAttribute;
}
declare interface TextInputInterface {
  (value?: TextInputOptions): TextInputAttribute;
}
declare const TextInputInstance: TextInputAttribute;
declare const TextInput: TextInputInterface;

declare class ButtonAttribute extends CommonMethod<ButtonAttribute> {}
declare interface ButtonInterface {
  (label: ResourceStr): ButtonAttribute;
}
declare const ButtonInstance: ButtonAttribute;
declare const Button: ButtonInterface;

declare class ListAttribute extends CommonMethod<ListAttribute> {}
declare interface ListInterface {
  (value?: { initialIndex?: number; space?: number | string; scroller?: Scroller }): ListAttribute;
}
declare const ListInstance: ListAttribute;
declare const List: ListInterface;

declare class ListItemAttribute extends CommonMethod<ListItemAttribute> {}
declare interface ListItemInterface {
  (): ListItemAttribute;
}
declare const ListItemInstance: ListItemAttribute;
declare const ListItem: ListItemInterface;

declare interface ForEachInterface {
  <T>(arr: Array<T>, itemGenerator: (item: T, index: number) => void, keyGenerator?: (item: T, index: number) => string): void;
}
declare const ForEach: ForEachInterface;

declare function setInterval(handler: () => void, delay: number): number;
declare function clearInterval(id?: number): void;
