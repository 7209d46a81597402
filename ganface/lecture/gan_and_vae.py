"""Section 6: the two kinds of generator that are used, beside each other."""

from __future__ import annotations

from ganface.lecture.course import Course
from ganface.lecture.page import Block, Picture, Section, Text
from ganface.pictures.grid import grid

SEEDS = range(32)


def gan_and_vae(course: Course) -> Section:
    run, last = course.run("vae"), course.last_step("vae")
    figures = {name: course.measure(course.run(name).generator) for name in ("gan", "vae")}
    sharp = {name: each["sharpness"] for name, each in figures.items()}
    distance = {name: each["frechet"] for name, each in figures.items()}
    gan = "more" if sharp["gan"] > sharp["vae"] else "less"
    gan_zh = "细节更多" if sharp["gan"] > sharp["vae"] else "细节更少"
    faces = Block(
        Text(
            "A VAE's loss asks for the mean of all faces that a code might stand for, and a mean "
            "of sharp faces is blurred. A GAN's G must only not be caught.",
            "VAE 的损失要的是一个编码可能对应的所有脸的平均，而清晰的脸平均起来是模糊的。GAN 的 G "
            "只要不被识破就行。",
        ),
        [
            course.save(
                "gan",
                grid(course.faces("gan", SEEDS), 8),
                Text("The GAN, seeds 0 to 31.", "GAN，种子 0 到 31。"),
                "gan",
            ),
            course.save(
                "vae",
                grid(course.faces("vae", SEEDS), 8),
                Text("The VAE, the same seeds.", "VAE，同样的种子。"),
                "vae",
            ),
            Picture(
                run.sheet("fitted", last),
                Text(
                    "The VAE, from the Gaussian that fits the codes of images.",
                    "VAE，从拟合图像编码的高斯分布中抽样。",
                ),
            ),
        ],
        Text(
            f"The GAN's faces have {gan} fine detail: its power is {sharp['gan']:.2f} of that of "
            f"real ones, the VAE's {sharp['vae']:.2f}. Fréchet distance: GAN "
            f"{distance['gan']:.1f}, VAE {distance['vae']:.1f}.",
            f"GAN 的脸{gan_zh}：细节功率是真实图像的 {sharp['gan']:.2f} 倍，VAE 为 "
            f"{sharp['vae']:.2f}。Fréchet 距离：GAN {distance['gan']:.1f}，VAE "
            f"{distance['vae']:.1f}。",
        ),
    )
    settings = Block(
        Text(
            "Over many settings of the hyper-parameters a GAN's distance varies widely and a VAE's "
            "little; the best GAN is better than the best VAE (Lucic et al. 2018). That takes "
            "hours on two cores, so it is a command of its own.",
            "换许多组超参数，GAN 的距离起伏很大，VAE 变化很小；而最好的 GAN 好过最好的 VAE（Lucic "
            "等 2018）。这在两个核上要几个小时，所以是一个单独的命令。",
        ),
        command="ganface compare --search 8 my-faces",
    )
    return Section(
        Text("GAN against VAE", "GAN 与 VAE"),
        Text("Which is sharper, and which is safer?", "哪个更清晰，哪个更稳妥？"),
        [faces, settings],
    )
