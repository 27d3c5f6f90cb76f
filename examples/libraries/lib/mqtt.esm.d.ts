// What room.ts uses of MQTT.js. The file that this declares is npm's mqtt/dist/mqtt.esm.js.

export interface Payload {
  toString(): string;
}

export interface MqttClient {
  on(event: 'connect' | 'close', listener: () => void): MqttClient;
  on(event: 'message', listener: (topic: string, payload: Payload) => void): MqttClient;
  on(event: 'error', listener: (error: Error) => void): MqttClient;
  subscribe(topic: string, options: { qos: 0 | 1 | 2 }, done?: () => void): MqttClient;
  publish(topic: string, payload: string | Uint8Array, options: { qos: 0 | 1 | 2 }): MqttClient;
  end(): MqttClient;
}

declare const mqtt: {
  connect(url: string, options: { forceNativeWebSocket: boolean; reconnectPeriod: number }): MqttClient;
};
export default mqtt;
