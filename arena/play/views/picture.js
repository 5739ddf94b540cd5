// A picture is dropped, chosen or pasted; it goes to the server, which answers with the position on it.
const TYPES = ["image/png", "image/jpeg", "image/webp"], MOST = 8 * 1024 * 1024;
export default {
  template: `
    <div class="picture-drop" :class="{over: over, working: working}" @dragover.prevent="over = true" @dragleave="over = false"
         @drop.prevent="dropped">
      <img v-if="shown" :src="shown" alt="The picture that was read" class="picture-shown"/>
      <div class="picture-ask">
        <span>{{ working ? 'Reading the picture' : 'Drop a photo or screenshot of a board here, or paste it' }}</span>
        <button type="button" class="button" :disabled="working" @click="$refs.file.click()">Choose a picture</button>
        <input type="file" ref="file" accept="image/png,image/jpeg,image/webp" aria-label="A picture of a board" class="sr-only"
               tabindex="-1" @change="chosen"/>
        <span class="error" role="alert">{{ trouble }}</span>
      </div>
    </div>`,
  props: { address: String },
  data() { return { over: false, working: false, trouble: "", shown: "" }; },
  mounted() {
    this.pasted = (e) => {
      const file = [...(e.clipboardData ? e.clipboardData.files : [])].find((f) => TYPES.includes(f.type));
      if (file) { e.preventDefault(); this.send(file); }
    };
    document.addEventListener("paste", this.pasted);
  },
  unmounted() {
    document.removeEventListener("paste", this.pasted);
    if (this.shown) URL.revokeObjectURL(this.shown);
  },
  methods: {
    dropped(event) {
      this.over = false;
      const file = event.dataTransfer.files[0];
      if (file) this.send(file);
    },
    chosen(event) {
      const file = event.target.files[0];
      event.target.value = "";
      if (file) this.send(file);
    },
    async send(file) {
      this.trouble = "";
      if (!TYPES.includes(file.type)) { this.trouble = "A picture is a PNG, JPEG or WebP file."; return; }
      if (file.size > MOST) { this.trouble = "A picture has at most 8 MB here."; return; }
      this.working = true;
      try {
        const answer = await fetch(this.address, { method: "POST", body: file, headers: { "Content-Type": file.type } });
        if (!answer.ok) { this.trouble = (await answer.text()).slice(0, 300); return; }
        const found = await answer.json();
        if (this.shown) URL.revokeObjectURL(this.shown);
        this.shown = URL.createObjectURL(file);
        this.$emit("read", found.game, found.cells, found.chances);
      } catch (error) {
        this.trouble = "The server did not answer.";
      } finally {
        this.working = false;
      }
    },
  },
};
