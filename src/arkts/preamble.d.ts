import { AsyncCallback, Callback, ErrorCallback } from '@kit.BasicServicesKit';

/**
 * Response headers of the upgrade by name, in lower case; a name that came more than once has an array of its values.
 */
export type ResponseHeaders = Record<string, string | Array<string>>;
