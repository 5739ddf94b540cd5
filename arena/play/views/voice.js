// Push to talk: while the key V or the button is held, the microphone is recorded; what was said goes to the server as
// 16-bit samples, 8,000 a second, in base64. Nothing is recorded or sent otherwise.
const RATE = 8000, LONGEST = 4000, PATIENCE = 250;
const SHORT = "nothing was recorded: hold the key a little longer";
export default {
  template: `
    <div class="voice-talk">
      <button type="button" class="button" :aria-pressed="state === 'listening'"
              :disabled="!can || state === 'working'" :title="said" aria-keyshortcuts="V" ref="button"
              @pointerdown="press" @pointerup="release" @pointercancel="release" @contextmenu.prevent
              @keydown="keyed" @keyup="unkeyed" @click="clicked">
        <i class="q-icon notranslate material-icons" aria-hidden="true">{{ can ? 'mic' : 'mic_off' }}</i>
        <span>{{ words }}</span>
      </button>
      <span class="sr-only" role="status">{{ status }}</span>
    </div>`,
  props: { what: String },
  data() {
    return { state: "idle", can: !!(navigator.mediaDevices && window.MediaRecorder && window.OfflineAudioContext), status: "" };
  },
  computed: {
    words() {
      if (!this.can) return "No microphone here";
      const hold = window.matchMedia("(hover: none)").matches ? `Hold this and say ${this.what}` : `Hold V and say ${this.what}`;
      return { idle: hold, asking: "Waiting for the microphone", listening: "Listening: let go when done",
               working: "Hearing" }[this.state];
    },
    said() {
      return this.can ? `Hold this button, or the key V, and say ${this.what}`
        : "Browsers give a page the microphone on this machine or over https only";
    },
  },
  mounted() {
    this.down = (e) => {
      if (e.key !== "v" && e.key !== "V") return;
      if (e.ctrlKey || e.metaKey || e.altKey || e.repeat || e.target.closest("input, textarea, select")) return;
      this.begin();
    };
    this.up = (e) => { if (e.key === "v" || e.key === "V") this.end(); };
    this.away = () => this.end();
    document.addEventListener("keydown", this.down);
    document.addEventListener("keyup", this.up);
    window.addEventListener("blur", this.away);
  },
  unmounted() {
    document.removeEventListener("keydown", this.down);
    document.removeEventListener("keyup", this.up);
    window.removeEventListener("blur", this.away);
    this.close();
  },
  methods: {
    press(event) {
      if (event.button > 0) return;
      try { this.$refs.button.setPointerCapture(event.pointerId); } catch (e) { /* a pointer that has gone */ }
      this.begin();
    },
    release() { this.end(); },
    keyed(event) {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) this.begin();
    },
    unkeyed(event) { if (event.key === " " || event.key === "Enter") { event.preventDefault(); this.end(); } },
    clicked(event) {  // without a pointer or key, as screen readers do: on and off
      if (event.detail !== 0 || Date.now() - (this.ended || 0) < PATIENCE) return;
      if (this.state === "listening") this.end(); else this.begin();
    },
    async begin() {
      if (!this.can || this.state !== "idle") return;
      this.state = "asking";
      this.wanted = true;
      this.$emit("begin");
      try {
        this.stream = await navigator.mediaDevices.getUserMedia(
          { audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true } });
      } catch (error) {
        this.state = "idle";
        this.$emit("trouble", error.name === "NotFoundError" ? "no microphone was found"
          : "the browser does not give this page the microphone");
        return;
      }
      if (!this.wanted) {
        this.close();
        this.state = "idle";
        this.$emit("trouble", SHORT);
        return;
      }
      const parts = [];
      this.recorder = new MediaRecorder(this.stream);
      this.recorder.ondataavailable = (e) => { if (e.data.size) parts.push(e.data); };
      this.recorder.onstop = () => this.send(new Blob(parts, { type: this.recorder.mimeType }));
      this.recorder.start();
      this.state = "listening";
      this.status = "Listening";
      this.timer = setTimeout(() => this.end(), LONGEST);
    },
    end() {
      this.wanted = false;
      this.ended = Date.now();
      clearTimeout(this.timer);
      if (this.recorder && this.recorder.state === "recording") {
        this.state = "working";
        this.status = "";
        this.recorder.stop();
      }
    },
    async send(blob) {
      this.close();
      try {
        const context = new OfflineAudioContext(1, 1, RATE);
        const decoded = await context.decodeAudioData(await blob.arrayBuffer());
        const length = Math.max(1, Math.min(Math.ceil(decoded.duration * RATE), (LONGEST / 1000) * RATE));
        const offline = new OfflineAudioContext(1, length, RATE);
        const source = offline.createBufferSource();
        source.buffer = decoded;
        source.connect(offline.destination);
        source.start();
        const wave = (await offline.startRendering()).getChannelData(0);
        const samples = Int16Array.from(wave, (x) => Math.max(-1, Math.min(1, x)) * 32767);
        const bytes = new Uint8Array(samples.buffer);
        let text = "";
        for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
        this.$emit("utterance", btoa(text));
      } catch (error) {
        this.$emit("trouble", SHORT);
      }
      this.state = "idle";
    },
    close() {
      if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
      this.stream = null;
    },
  },
};
