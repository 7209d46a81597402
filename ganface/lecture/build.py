"""The whole lecture: trainings, then the page."""

from __future__ import annotations

from pathlib import Path

import torch

from ganface.dataset.pack import Pack
from ganface.io.console import progress_bar
from ganface.lecture.basic_idea import basic_idea
from ganface.lecture.conditional import conditional
from ganface.lecture.course import Course, runs_of
from ganface.lecture.discriminator_alone import discriminator_alone
from ganface.lecture.each_alone import each_alone
from ganface.lecture.gan_and_vae import gan_and_vae
from ganface.lecture.generator_alone import generator_alone
from ganface.lecture.page import Text, write_page
from ganface.lecture.structure import structure
from ganface.lecture.trainings import train_all

SECTIONS = (
    basic_idea,
    structure,
    generator_alone,
    discriminator_alone,
    each_alone,
    gan_and_vae,
    conditional,
)


def lecture(
    folder: Path,
    data: Path,
    pack: Pack,
    minutes: float,
    device: torch.device,
    resume: bool,
    again: str,
) -> Path:
    """Train, measure and draw in about so many minutes; return the page, in `folder`.

    With `resume`, what is trained is kept. again: the command that goes on, for who stops it.
    Raises what `train_all` does.
    """
    train_all(runs_of(folder), data, pack, minutes, device.type, resume, again)
    course = Course(folder, pack, device)
    with progress_bar("measuring and drawing") as track:
        made = [make(course) for make in track(SECTIONS, len(SECTIONS))]
        sections = [section for section in made if section]
    page = folder / "index.html"
    size, count = pack.size, len(pack)
    write_page(
        page,
        Text("GANs, on your own faces", "GAN，用你自己的人脸来讲"),
        [
            Text(
                f"Everything on this page but two toys was learned from {count:,} images of {size} "
                f"× {size} pixels, in about {minutes:g} minutes. It follows the course of a "
                "lecture on the basic idea of GANs by Hung-yi Lee: generators, discriminators, and "
                "why it takes both. The texts are our own, and so are the figures: each is "
                "computed, even where it came out otherwise than the text says.",
                f"除两个玩具例子外，本页的一切都由 {count:,} 张 {size} × {size} 像素的图像学成，"
                f"用时约 {minutes:g} 分钟。内容沿着李宏毅关于 GAN 基本思想的一堂课展开："
                "生成器、判别器，以及为什么需要两者。文字是我们自己写的，数字都是现场算出来的，"
                "即使结果与文字所说不同。",
            )
        ],
        sections,
        Text(
            "Made by ganface. Papers: Goodfellow et al. 2014; Radford et al. 2015; Kingma and "
            "Welling 2014; Rybkin et al. 2021; Bojanowski et al. 2018; Yin et al. 2020; Lucic et "
            "al. 2018; Miyato and Koyama 2018.",
            "由 ganface 生成。论文：Goodfellow 等 2014；Radford 等 2015；Kingma 与 Welling 2014；"
            "Rybkin 等 2021；Bojanowski 等 2018；Yin 等 2020；Lucic 等 2018；"
            "Miyato 与 Koyama 2018。",
        ),
    )
    return page
